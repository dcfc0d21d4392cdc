"""What may go wrong around a class, over real connections through its real gate."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from shared.classroom.made import Made
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
