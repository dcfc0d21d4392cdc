"""A server that a proxy shows under a path of its own: its pages, cards and shared outputs are found there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import gradio as gr
import httpx
import pytest

from shared.classroom import identity
from shared.classroom.desk import Class, class_of
from shared.classroom.made import Made as Work
from shared.engine import Engine
from shared.media import safety
from shared.operation import beside
from shared.settings import Secret, Settings, from_environment
from shared.ui.classroom.serving import announce
from shared.ui.hub import Found, build
from shared.ui.jobs_panel import Owner
from shared.ui.sharing import Made, ShareRow
from shared.ui.web import App, Receive, Send
from tests.support.fakes import an_engine


def test_the_path_is_read_from_a_path_or_an_address() -> None:
    roots = {
        told: from_environment({"GRADIO_ROOT_PATH": told}).root_path for told in ("", "/lab/", "https://a.b:8/x/y")
    }
    assert roots == {"": "", "/lab/": "/lab", "https://a.b:8/x/y": "/x/y"}
    for wrong in ("lab", "/a b", "//evil.example", "javascript:x", '/"><b>'):
        with pytest.raises(ValueError, match="GRADIO_ROOT_PATH"):
            from_environment({"GRADIO_ROOT_PATH": wrong})


@pytest.mark.parametrize("path", ["", "/lab"])
def test_the_hubs_pages_name_addresses_that_the_proxy_knows(path: str, tmp_path: Path) -> None:
    """Whether it takes the path away before it asks or not."""

    async def look() -> None:
        with gr.Blocks(analytics_enabled=False) as demo:
            gr.Textbox("words")
        app = build([Found("chat", demo)], Settings(data_dir=tmp_path, root_path=path))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://school.example") as client:
            for asked in {"", path}:
                told = await client.get(f"{asked}/chat/")
                assert f'"root":"http://school.example{path}/chat"' in told.text
                assert f'href=\\"{path}/chat/' in (await client.get(f"{asked}/")).text
                assert (await client.get(f"{asked}/healthz")).text == "ok\n"
                assert (await client.get(f"{asked}/shared/{'a' * 24}")).status_code == 404
            assert (await client.get("/other/chat/")).status_code == 404

    asyncio.run(look())


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What a class's gate sets for the whole process begins and ends with the test."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    safety.set_by(lambda: "")
    identity.read_by(lambda name: "")
    beside.taken_by(None)


@pytest.mark.usefixtures("forgotten")
def test_a_shared_outputs_address_has_the_path(tmp_path: Path) -> None:
    engine: Engine = an_engine(settings=Settings(data_dir=tmp_path, root_path="/lab"))
    made = Made({"request": {"prompt": "a cat"}, "receipt": {}}, text="An answer")

    async def row() -> Any:
        with gr.Blocks(analytics_enabled=False) as demo:
            ShareRow("restore").wire(engine, "chat", Owner(engine), gr.State(None), lambda _: made)
        return next(each.fn for each in demo.fns.values() if getattr(each.fn, "__name__", "") == "show")

    path, _, told, token = asyncio.run(row())("/lab/chat/", "", None)
    assert path.startswith("/lab/shared/") and "Take it back" in told and token


# A class

PHRASE = "open-sesame"


class Proxy:
    """One that shows a server under a path of its own, and nothing else; which it takes away before it asks, or not."""

    def __init__(self, app: App, path: str, *, strips: bool) -> None:
        self._app, self._path, self._strips = app, path, strips

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        asked = str(scope["path"])
        assert asked.startswith(f"{self._path}/"), f"{asked} is another server's"
        await self._app({**scope, "path": asked.removeprefix(self._path) if self._strips else asked}, receive, send)


def named(page: httpx.Response) -> set[str]:
    """The addresses that a page links to, loads or imports, as a browser reads them."""
    found = re.findall(r'(?:href|src)="([^"#]+)"| from "([^"]+)"', page.text)
    return {urljoin(str(page.url), one or other) for one, other in found}


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(("path", "strips"), [("", False), ("/lab", False), ("/lab/one", True)])
def test_a_class_is_whole_under_a_path(path: str, strips: bool, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, root_path=path, classroom=True, class_passphrase=Secret(PHRASE))

    async def look() -> None:
        with gr.Blocks(analytics_enabled=False, title="Chat · Generative-AI playgrounds") as demo:
            gr.Textbox("words")
        room = class_of(settings)
        transport = httpx.ASGITransport(Proxy(build([Found("chat", demo)], settings), path, strips=strips))
        site = f"http://school.example{path}"
        async with (
            httpx.AsyncClient(transport=transport, base_url=site) as ada,
            httpx.AsyncClient(transport=transport, base_url=site) as teacher,
        ):
            turned = await ada.get("/chat/", headers={"accept": "text/html"})
            assert (turned.status_code, turned.headers["location"]) == (303, f"{path}/join")
            assert f"Open {path}/join and" in (await ada.get("/chat/gradio_api/info")).text
            assert f"Open {path}/class/desk and" in (await ada.get("/class/api/desk")).text
            pages = [await ada.get("/join")]
            joined = await ada.post("/class/api/join", json={"code": room.room.facts.code, "name": "Ada"})
            unlocked = await teacher.post("/class/api/unlock", json={"phrase": PHRASE})
            for told in (joined, unlocked):
                assert f"Path={path or '/'};" in f"{told.headers['set-cookie']};"
            assert (await ada.get("/join")).headers["location"] == f"{path}/"
            screen = (await ada.get("/chat/")).text
            assert f'src=\\"{path}/class/static/student.js' in screen
            told = await pushed(teacher, room)
            assert [place["path"] for place in told["places"]] == [f"{path}/chat/"]
            assert room.room.facts.pushed["link"] == f"{path}/chat/"
            assert (await ada.get(f"http://school.example{told['works'][0]['url']}")).content == b"picture"
            pages += [await teacher.get(f"/class/{name}") for name in ("desk", "projector", "wall")]
            for address in set().union(*map(named, pages)):
                assert address.startswith(f"{site}/"), address
                assert (await teacher.get(address)).status_code in (200, 401), address  # a teacher has no works

    asyncio.run(look())


async def pushed(teacher: httpx.AsyncClient, room: Class) -> dict[str, Any]:
    """What the desk shows once a message was sent, and a work came."""
    (ada,) = room.room.people
    room.works.add(ada.id, "text-to-image", "a cat", {}, Work(b"picture", "image/png", ".png"), "shown")
    space = (await teacher.get("/class/api/desk")).json()["places"][0]["path"]
    assert (await teacher.post("/class/api/desk/push", json={"text": "Go", "space": space})).status_code == 200
    told: dict[str, Any] = (await teacher.get("/class/api/desk")).json()
    return told


def test_the_keeper_of_a_class_is_told_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(data_dir=tmp_path, root_path="/lab", classroom=True)
    announce(settings, "10.0.0.7", 7860)
    told = capsys.readouterr().out
    assert "http://10.0.0.7:7860/lab/join" in told and "http://10.0.0.7:7860/lab/class/desk" in told
    assert class_of(settings).address == "http://10.0.0.7:7860/lab"
