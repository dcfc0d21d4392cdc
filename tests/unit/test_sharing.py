"""Links and shared pages: what they hold, how far what anybody may write is trusted, and who takes them back."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio
import pytest

from shared.chat.conversation import Conversation
from shared.errors import InvalidRequest, LimitReached
from shared.receipts import Receipt
from shared.sharing import links
from shared.state import shares as shares_module
from shared.state.database import FILE, Database
from shared.state.shares import Shares
from shared.ui.audio.compose_restore import compose_restore
from shared.ui.audio.sound_restore import sound_restore
from shared.ui.audio.speak_restore import speak_restore
from shared.ui.chat.restoring import _read as read_chat
from shared.ui.chat.restoring import chat_restore, last_answer
from shared.ui.chat.settings_panel import NAMES
from shared.ui.image.restore_panel import picture_restore
from shared.ui.restoring import RestoreBox
from shared.ui.shared_pages import SharedPages
from shared.ui.sharing import Made, fragment, publish
from shared.ui.solid.restoring import solid_restore
from shared.ui.video.restore_panel import clip_restore

RECEIPT = Receipt(
    model="smollm2", name="SmolLM2 <i>", task="conversational", backend="llama_cpp", mode="local", license="MIT", seed=7
)
DOCUMENT: dict[str, Any] = {
    "request": {"prompt": "a <script>cat</script>"},
    "receipt": {**RECEIPT.to_dict(), "settings": {"temperature": 0.5}},
}


@pytest.fixture
def kept(tmp_path: Path) -> Shares:
    return Shares(tmp_path / "shared", Database(tmp_path / FILE))


def test_a_link_holds_what_a_screen_can_be_set_to_and_no_more(kept: Shares) -> None:
    end = fragment(kept, "chat", "restore", DOCUMENT)
    box, how, text = links.read(end)
    assert (box, how) == ("restore", "z") and "cat" not in end and len(end) < 400
    told = json.loads(links.unpacked(text))
    assert told["request"] == DOCUMENT["request"]
    assert told["receipt"] == {"model": "smollm2", "seed": 7, "settings": {"temperature": 0.5}}


def test_a_long_one_is_kept_by_the_server(kept: Shares) -> None:
    import random

    words = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz ", k=9000))
    end = fragment(kept, "chat", "restore", {"request": {"prompt": words}, "receipt": {}})
    _, how, name = links.read(end)
    share = kept.get(name, "link")
    assert how == "s" and len(end) < 60 and share is not None and share.content["request"]["prompt"] == words
    assert kept.get(name, "page") is None and kept.of("") == []
    with pytest.raises(InvalidRequest, match="too long for a link"):
        fragment(kept, "chat", "restore", {"request": {"prompt": "x" * 70_000}})


BOMB = base64.urlsafe_b64encode(zlib.compress(b" " * 10_000_000, 9)).decode().rstrip("=")


@pytest.mark.parametrize("text", ["AAAA", "%", "", "eJw", BOMB, "A" * 3999])
def test_a_damaged_or_swollen_one_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="damaged"):
        links.unpacked(text)


@pytest.mark.parametrize("end", ["#restore=", "#restore=a.z", "#restore=../x.zAA", "#restore=a.zA<b>", "#restore=a.q1"])
def test_an_end_that_is_no_whole_link_is_said_to_be_damaged(end: str) -> None:
    with pytest.raises(InvalidRequest, match="damaged"):
        links.read(end)
    assert links.read("#top") == links.read(None) == ("", "", "")


def conversation(**receipt: Any) -> Conversation:
    made = Conversation()
    made.add("user", "my key is sk-" + "a1" * 20)
    made.add("assistant", "An <b>answer</b>", receipt={**RECEIPT.to_dict(), **receipt})
    return made


def test_a_chats_last_answer_is_handed_on_without_what_looks_like_a_key() -> None:
    made = last_answer(conversation(), "Be brief.")
    assert made.document["request"] == {"prompt": "my key is •••", "system": "Be brief."}
    assert made.text == "An <b>answer</b>" and made.document["receipt"]["seed"] == 7
    with pytest.raises(InvalidRequest, match="ask something first"):
        last_answer(Conversation(), None)


def test_a_chats_settings_come_back_and_what_is_no_good_is_told() -> None:
    settings = {"temperature": 0.5, "top_p": 7, "max_tokens": "many", "top_k": True, "reasoning_effort": "low"}
    document = {"request": {"prompt": "Hi\x00", "system": "Be brief."}, "receipt": {"model": "m", "seed": 7}}
    document["receipt"]["settings"] = settings  # type: ignore[index]
    found = read_chat(json.dumps(document).encode())
    values = dict(zip(NAMES, found.values, strict=True))
    assert (found.words, found.model, values["temperature"], values["seed"]) == ("Hi", "m", 0.5, "7")
    assert (values["system"], values["reasoning_effort"]) == ("Be brief.", "low")
    assert {each.partition(":")[0] for each in found.ignored} == {"top_p", "max_tokens", "top_k"}
    for wrong in (b"{}", b"[]", b'{"request": {"prompt": 3}}'):
        with pytest.raises(InvalidRequest):
            read_chat(wrong)


def asked(shares: Shares, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """What the server answers; what isn't a shared page's is passed on, and that is a 418 here."""
    sent: list[Any] = []

    async def beyond(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {}

    asyncio.run(SharedPages(beyond, shares)({"type": "http", "path": path, "method": method}, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"]


def test_a_page_shows_an_output_with_what_made_it_and_runs_nothing(kept: Shares, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"\x89PNG...")
    path = publish(kept, "ada", "text2img", "restore", "/text2img/", Made(DOCUMENT, file))
    status, headers, body = asked(kept, path)
    assert status == 200 and headers["x-content-type-options"] == "nosniff" and headers["x-robots-tag"] == "noindex"
    assert (
        "default-src 'none'" in headers["content-security-policy"]
        and "script" not in headers["content-security-policy"]
    )
    assert b"<script" not in body and b"&lt;script&gt;cat" in body and b"SmolLM2 &lt;i&gt;" in body
    assert b'href="/text2img/#restore=restore.z' in body and f'{path.rpartition("/")[2]}/file"'.encode() in body
    status, headers, body = asked(kept, f"{path}/file")
    assert (status, headers["content-type"], body) == (200, "image/png", b"\x89PNG...")
    assert headers["content-disposition"].startswith("inline") and "sandbox" in headers["content-security-policy"]
    assert asked(kept, path, "HEAD")[2] == b"" and asked(kept, path, "POST")[0] == 418


@pytest.mark.parametrize("suffix", [".glb", ".svg", ".html", ""])
def test_what_a_browser_might_run_is_downloaded_only(kept: Shares, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a{suffix}"
    file.write_bytes(b"<svg onload=alert(1)>")
    path = publish(kept, "ada", "3d", "restore", "/", Made(DOCUMENT, file))
    _, headers, _ = asked(kept, f"{path}/file")
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment")
    assert b"download>" in asked(kept, path)[2]


@pytest.mark.parametrize(
    "home", ["https://evil.example/", "//evil.example", "//evil", "javascript:alert(1)", "/a?b", None]
)
def test_the_way_back_leads_to_this_server_only(kept: Shares, home: Any) -> None:
    path = publish(kept, "ada", "chat", "restore", home, Made(DOCUMENT, text="An <b>answer</b>"))
    body = asked(kept, path)[2]
    assert b'href="/#restore=' in body and b"An &lt;b&gt;answer" in body and asked(kept, f"{path}/file")[0] == 404


@pytest.mark.parametrize(
    "path", ["/shared/short", "/shared/" + "a" * 24, "/shared/../x", "/shared/" + "a" * 24 + "/etc"]
)
def test_what_isnt_there_tells_nothing(kept: Shares, path: str) -> None:
    assert asked(kept, path)[0] in {404, 418}


def test_only_its_owner_takes_a_page_back(opened: Callable[[], Database], tmp_path: Path) -> None:
    one, other = (Shares(tmp_path / "shared", opened()) for _ in range(2))
    name = one.page("ada", "chat", {"text": "x"}, b"bytes", ".png")
    share = other.get(name, "page")
    assert share is not None and other.data(share) == b"bytes" and [each.id for each in other.of("ada")] == [name]
    assert not other.take_back(name, "bob") and not other.take_back(name, "") and other.get(name, "page")
    assert one.take_back(name, "ada") and not one.take_back(name, "ada")
    assert other.get(name, "page") is None and other.data(share) is None


def test_there_is_an_end_to_what_is_kept(opened: Callable[[], Database], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(shares_module, "MOST_PAGES", 2)
    monkeypatch.setattr(shares_module, "MOST_LINKS", 2)
    monkeypatch.setattr(shares_module, "MOST_BYTES", 10)
    monkeypatch.setattr(shares_module, "ROOM", 15)
    shares = Shares(tmp_path / "shared", opened())
    with pytest.raises(InvalidRequest, match="can be shared"):
        shares.page("ada", "chat", {}, bytes(11), ".png")
    with pytest.raises(InvalidRequest, match="Nobody could take this back"):
        shares.page("", "chat", {})
    shares.page("ada", "chat", {}, bytes(10), ".png")
    with pytest.raises(LimitReached, match="no room"):
        shares.page("bob", "chat", {}, bytes(10), ".png")
    shares.page("ada", "chat", {})
    with pytest.raises(LimitReached, match="Take one back"):
        shares.page("ada", "chat", {})
    names = [shares.link("chat", {"n": n}) for n in range(3)]
    assert sum(shares.get(name, "link") is not None for name in names) == 2


BOXES: dict[Callable[[], RestoreBox], str] = {
    picture_restore: "prompt",
    clip_restore: "prompt",
    solid_restore: "prompt",
    speak_restore: "text",
    compose_restore: "prompt",
    sound_restore: "prompt",
    chat_restore: "prompt",
}


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.__name__)
def test_every_space_takes_a_link_to_what_it_made(box: Callable[[], RestoreBox], kept: Shares) -> None:

    async def build() -> RestoreBox:  # a page takes the running event loop, and would leave one that it made
        with gradio.Blocks(analytics_enabled=False):
            return box()

    made = asyncio.run(build())
    words = "a red apple"
    end = fragment(kept, "any", made.name, {"request": {BOXES[box]: words}, "receipt": {"model": "m", "seed": 41}})
    found = made._linked(end, kept)
    assert found is not None and (found.words, found.model) == (words, "m")
    assert {41, "41"} & {value for value in found.values if isinstance(value, int | str)}
    assert made._linked(end.replace(f"={made.name}.", "=another."), kept) is None
    with pytest.raises(InvalidRequest, match="no longer kept"):
        made._linked(f"#restore={made.name}.s{'a' * 24}", kept)
