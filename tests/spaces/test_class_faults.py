"""What may go wrong around a class, over real connections through its real gate."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from shared.classroom.calls import Calls
from shared.classroom.desk import Class
from shared.classroom.made import Made
from shared.classroom.uploads import SPARE, Uploads
from shared.settings import Settings
from shared.ui.classroom.gate import Gate
from tests.support.class_server import PHRASE, a_class

WORDS = Made(b"words", "text/plain", ".txt")
WRONG, RIGHT = 500, 30
BROWSER = {"accept": "text/html,*/*"}


def test_a_flood_of_wrong_codes_from_one_address_locks_nobody_out(tmp_path: Path) -> None:
    """All come from one address, as a whole school does. Who guesses waits, who knows the code is let in meanwhile."""

    async def flood(url: str, code: str) -> tuple[list[int], list[int], int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:

            async def typed(code: str) -> int:
                return (await client.post("/class/api/join", json={"code": code, "name": ""})).status_code

            guesses = [asyncio.create_task(typed(f"GUESS{number}")) for number in range(WRONG)]
            await asyncio.sleep(0)
            right = list(await asyncio.gather(*(typed(code) for _ in range(RIGHT))))
            waiting = sum(not guess.done() for guess in guesses)
            return right, list(await asyncio.gather(*guesses)), waiting

    with a_class(tmp_path) as (url, room):
        right, wrong, waiting = asyncio.run(flood(url, room.room.facts.code))
        assert right == [200] * RIGHT and wrong == [403] * WRONG
        assert waiting > WRONG / 2  # they were let in while most of those who guess still waited for their answers
        assert len(room.room.people) == RIGHT


def test_a_page_that_is_kept_for_many_is_shown_to_nobody_who_may_not_see_it(tmp_path: Path) -> None:
    with a_class(tmp_path) as (url, room), httpx.Client(base_url=url, headers=BROWSER) as ada:
        ada.post("/class/api/join", json={"code": room.room.facts.code, "name": "Ada"})
        page = ada.get("/")
        assert page.status_code == 200 and "A playground" in page.text
        assert ada.get("/", headers={"if-none-match": page.headers["etag"]}).status_code == 304
        assert httpx.get(f"{url}/", headers=BROWSER).headers["location"] == "/join"
        known = {**BROWSER, "if-none-match": page.headers["etag"]}
        assert httpx.get(f"{url}/", headers=known).status_code == 303
        room.room.mark(room.room.people[0].id, removed=True)
        assert ada.get("/", headers={"if-none-match": page.headers["etag"]}).status_code == 303


def test_a_clock_that_jumps_ends_nobodys_visit(tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    with (
        a_class(tmp_path, lambda: now[0]) as (url, room),
        httpx.Client(base_url=url, headers=BROWSER) as ada,
        httpx.Client(base_url=url, headers=BROWSER) as teacher,
    ):
        assert teacher.post("/class/api/unlock", json={"phrase": PHRASE}).status_code == 200
        ada.post("/class/api/join", json={"code": room.room.facts.code, "name": "Ada"})
        (person,) = room.room.people
        made = []
        for days in (0, 400, -800):
            now[0] += days * 86_400
            made.append(room.works.add(person.id, "chat", f"{days} days on", {}, WORDS, "waiting"))
            assert ada.get("/").status_code == 200 and ada.get("/class/api/me").json()["name"] == "Ada"
            told = teacher.get("/class/api/desk").json()
            assert [work["id"] for work in told["works"]] == made[::-1] and told["people"][0]["here"]
            assert httpx.post(f"{url}/class/api/join", json={"code": told["facts"]["code"]}).status_code == 200
            assert teacher.post("/class/api/desk/code", json={}).json()["code"] != told["facts"]["code"]
            assert httpx.post(f"{url}/class/api/join", json={"code": told["facts"]["code"]}).status_code == 403


@contextmanager
def member(url: str, room: Class, name: str) -> Iterator[httpx.Client]:
    """Somebody in the class by plain HTTP: the client holds their cookie."""
    with httpx.Client(base_url=url, headers=BROWSER, timeout=60) as client:
        said = {"code": room.room.facts.code, "name": name}
        assert client.post("/class/api/join", json=said).status_code == 200
        yield client


def test_another_sites_page_does_nothing_with_anybodys_cookies(tmp_path: Path) -> None:
    """Where the server is reached safely, cookies come along with every site's page, which Gradio would answer too."""
    with a_class(tmp_path) as (url, room), member(url, room, "Ada") as ada:
        evil = {"origin": "https://evil.example"}
        for headers in (
            evil,
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
            {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "origin": "null"},
        ):
            for path in ("/gradio_api/call/x", "/gradio_api/upload", "/class/api/vote"):
                assert ada.post(path, headers=headers, json={}).status_code == 403, (headers, path)
            assert ada.get("/class/api/me", headers=headers).status_code == 403
        asked = evil | {"access-control-request-method": "POST"}
        assert ada.options("/gradio_api/call/x", headers=asked).status_code == 403
        own = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "origin": "https://behind.a.proxy.example"}
        assert ada.post("/gradio_api/upload", headers=own, content=b"x").json() == {"bytes": 1}
        link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        assert ada.get("/", headers=link).status_code == 200


def test_no_other_site_shows_the_desk_within_its_own_page(tmp_path: Path) -> None:
    with a_class(tmp_path) as (url, _):
        for path in ("/class/desk", "/class/projector"):
            assert "frame-ancestors 'self'" in httpx.get(url + path).headers["content-security-policy"]


def test_gradios_ways_for_other_uses_are_closed(tmp_path: Path) -> None:
    with a_class(tmp_path) as (url, room), member(url, room, "Ada") as ada:
        for path in (
            "/gradio_api/deep_link?session_hash=x",
            "/chat/gradio_api/deep_link?session_hash=x",
            "/chat/gradio_api/file=http://example.com/",
            "/gradio_api/file=HTTPS://example.com/",
            "/gradio_api/file/https://example.com/",
            "/chat/gradio_api/proxy=https://x.hf.space/",
            "/chat/gradio_api/process_recording",
            "/chat/monitoring/summary",
        ):
            assert ada.get(path).status_code == 404, path
        for path in ("/gradio_api/file=/tmp/x.png", "/gradio_api/queue/data?session_hash=a"):
            assert ada.get(path).status_code == 200, path


def test_one_person_asks_no_more_than_their_share(tmp_path: Path) -> None:
    """Of streams that stay open, and of calls one after the other; nobody else waits for that."""
    with (
        a_class(tmp_path, calls=Calls(at_once=5, burst=30, again=0)) as (url, room),
        member(url, room, "Ada") as ada,
        member(url, room, "Bob") as bob,
    ):
        version = ada.get("/class/api/me").json()["version"]

        async def waiting() -> list[int]:
            async with httpx.AsyncClient(base_url=url, cookies=dict(ada.cookies), timeout=60) as client:
                asked = [client.get("/class/api/me", params={"after": version}) for _ in range(8)]
                tasks = [asyncio.create_task(each) for each in asked]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(0.2)
                room.room.set(pushed={"id": "1", "text": "Go on"})
                return sorted(answer.status_code for answer in await asyncio.gather(*tasks))

        assert asyncio.run(waiting()) == [200] * 5 + [429] * 3
        said = [ada.get("/").status_code for _ in range(40)]
        assert said.count(200) <= 25 and said[-1] == 429 and ada.get("/").headers["retry-after"]
        assert bob.get("/").status_code == 200


def test_nothing_goes_past_the_gate_by_a_websocket(tmp_path: Path) -> None:
    from starlette.testclient import TestClient
    from starlette.websockets import WebSocket, WebSocketDisconnect

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()

    gate = Gate(Starlette(routes=[WebSocketRoute("/x", echo)]), Settings(data_dir=tmp_path, classroom=True))
    with pytest.raises(WebSocketDisconnect), TestClient(gate).websocket_connect("/x"):
        pass


def test_a_call_of_millions_of_values_is_cut_off(tmp_path: Path) -> None:
    """Read, it would take gigabytes, and all others would wait meanwhile. What is long and plain is let through."""
    with a_class(tmp_path) as (url, room), member(url, room, "Ada") as ada:
        many = ada.post("/gradio_api/call/x", content=b'{"data":[' + b"[]," * 2_000_000 + b"[]]}")
        assert int(many.json()["bytes"]) < 4_000_000
        plain = b'{"data":["' + b"x" * 8_000_000 + b'"]}'
        assert ada.post("/gradio_api/call/x", content=plain).json() == {"bytes": len(plain)}


def test_a_disk_that_is_nearly_full_takes_no_files(tmp_path: Path) -> None:
    free = [10 * SPARE]
    with a_class(tmp_path, uploads=Uploads(free=lambda: free[0])) as (url, room), member(url, room, "Ada") as ada:
        assert ada.post("/gradio_api/upload", content=b"x" * 100_000).status_code == 200
        free[0] = SPARE + 50_000
        refused = ada.post("/gradio_api/upload", content=b"x" * 100_000)
        assert refused.status_code == 507 and "disk" in refused.json()["error"]
        assert ada.post("/gradio_api/call/x", content=b"{}").status_code == 200  # what is small goes on
