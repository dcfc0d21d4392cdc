"""A page that is the same for all is rendered once for many, and nobody gets one that isn't theirs."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from typing import Any

import brotli
import pytest

from shared.ui.kept_pages import FRESH, MOST, KeptPages
from shared.ui.web import SafeResponses

HTML = [(b"content-type", b"text/html; charset=utf-8"), (b"x-mark", b"kept")]


class Site:
    """What stands behind: it tells of what each rendering saw, and takes until the next turn of the loop."""

    def __init__(self, status: int = 200, headers: list[tuple[bytes, bytes]] = HTML) -> None:
        self.status, self.headers, self.asked = status, headers, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        seen = sorted(f"{n.decode()}={v.decode()}" for n, v in scope["headers"])
        body = f"{self.asked} {scope['path']} {scope['query_string'].decode()} {' '.join(seen)}".encode()
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": body})


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Answer:
    def __init__(self, sent: list[Any]) -> None:
        self.status: int = sent[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        self.raw = b"".join(each.get("body", b"") for each in sent[1:])
        squeezed = {"br": brotli.decompress, "gzip": gzip.decompress}.get(
            self.headers.get("content-encoding", ""), bytes
        )
        self.text = squeezed(self.raw).decode() if self.raw else ""


async def ask(app: Any, path: str = "/", query: str = "", method: str = "GET", **headers: str) -> Answer:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is sent with a page's call")

    told = {"host": "class.example", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query.encode(), "scheme": "http",
        "headers": [(n.encode(), v.encode()) for n, v in told.items()], "client": ("10.0.0.7", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    return Answer(sent)


def get(app: Any, path: str = "/", query: str = "", method: str = "GET", **headers: str) -> Answer:
    return asyncio.run(ask(app, path, query, method, **headers))


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pages(site: Site, clock: Clock) -> KeptPages:
    return KeptPages(site, ("/", "/chat/"), clock)


def test_who_come_at_once_share_one_rendering(site: Site, pages: KeptPages) -> None:
    async def all_at_once() -> list[Answer]:
        return await asyncio.gather(*(ask(pages, accept_encoding="gzip, br", cookie=f"who={n}") for n in range(50)))

    answers = asyncio.run(all_at_once())
    assert site.asked == 1 and len({each.raw for each in answers}) == 1
    assert answers[0].text.startswith("1 / ") and answers[0].headers["x-mark"] == "kept"
    assert get(pages, accept_encoding="br").text == answers[0].text and site.asked == 1


def test_a_page_is_rendered_again_after_some_seconds(site: Site, pages: KeptPages, clock: Clock) -> None:
    get(pages)
    clock.now += FRESH - 1
    assert get(pages).text.startswith("1 ")
    clock.now += 2
    assert get(pages).text.startswith("2 ")


def test_each_compression_is_told_by_its_header(pages: KeptPages) -> None:
    for asked, given in (("gzip, deflate", "gzip"), ("gzip, br, zstd", "br"), ("br;q=0, gzip;q=0.5", "gzip"), ("", "")):
        answer = get(pages, accept_encoding=asked)
        assert answer.headers.get("content-encoding", "") == given and "/ " in answer.text, asked
        assert int(answer.headers["content-length"]) == len(answer.raw)
        assert "Accept-Encoding" in answer.headers["vary"]


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "other.example"},
        {"x_forwarded_host": "other.example"},
        {"x_forwarded_proto": "https"},
        {"accept_language": "de"},
        {"cookie": "who=me; language=ar"},
    ],
)
def test_what_a_page_depends_on_makes_it_another(site: Site, pages: KeptPages, headers: Mapping[str, str]) -> None:
    plain, other = get(pages), get(pages, **headers)
    assert site.asked == 2 and plain.text != other.text
    assert next(iter(headers.values())).split()[-1] in other.text and get(pages, **headers).text == other.text


def test_who_wish_for_the_same_language_share_a_page(site: Site, pages: KeptPages) -> None:
    for headers in ({"accept_language": "de-CH, en;q=0.5"}, {"accept_language": "de"}, {"cookie": "a=1; language=de"}):
        assert "language=de" in get(pages, **headers).text
    assert site.asked == 1


def test_nothing_of_a_person_reaches_a_page_that_others_get(pages: KeptPages) -> None:
    said = get(pages, cookie="playground_class=secret; language=de", referer="http://secret", user_agent="secret").text
    assert "secret" not in said and "cookie=language=de" in said


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("deep_link=abc", {}),
        ("__theme=dark&x=1", {}),
        ("", {"authorization": "Basic eDp5"}),
        ("", {"cookie": "access-token-unsecure-x=1"}),
        ("", {"range": "bytes=0-9"}),
        ("", {"origin": "https://elsewhere.example"}),
    ],
)
def test_what_may_be_somebodys_own_is_passed_on_whole(
    site: Site, pages: KeptPages, query: str, headers: Mapping[str, str]
) -> None:
    get(pages)
    for number in (2, 3):
        answer = get(pages, query=query, **headers)
        assert answer.text.startswith(f"{number} / {query} ") and "etag" not in answer.headers
    assert get(pages).text.startswith("1 ")


def test_what_only_the_pages_scripts_read_of_the_address_changes_nothing(site: Site, pages: KeptPages) -> None:
    assert get(pages).text == get(pages, query="__theme=dark").text and site.asked == 1


def test_other_paths_and_methods_are_passed_on(site: Site, pages: KeptPages) -> None:
    for _ in range(2):
        get(pages, "/gradio_api/info"), get(pages, "/config"), get(pages, method="POST")
    assert site.asked == 6
    assert get(pages, "/chat/").text.startswith("7 /chat/ ") and get(pages).text.startswith("8 / ")


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (500, HTML),
        (307, [*HTML, (b"location", b"/chat/")]),
        (200, [(b"content-type", b"application/json")]),
        (200, [*HTML, (b"set-cookie", b"who=7")]),
        (200, [*HTML, (b"cache-control", b"no-store")]),
    ],
)
def test_an_answer_for_one_person_is_never_kept(status: int, headers: list[tuple[bytes, bytes]]) -> None:
    site = Site(status, headers)
    pages = KeptPages(site, ("/",))
    first, second = get(pages, cookie="who=ada"), get(pages, cookie="who=bob")
    assert "who=ada" in first.text and "who=bob" in second.text and first.status == status
    assert "etag" not in second.headers


def test_who_has_the_page_is_told_that_it_is_the_same(pages: KeptPages, clock: Clock) -> None:
    first = get(pages, accept_encoding="gzip")
    assert first.headers["cache-control"] == "private, no-cache"
    again = get(pages, accept_encoding="gzip", if_none_match=f'"x", {first.headers["etag"]}')
    assert (again.status, again.raw) == (304, b"") and again.headers["etag"] == first.headers["etag"]
    assert "content-length" not in again.headers
    clock.now += FRESH + 1  # the site behind says something else from now on
    assert get(pages, accept_encoding="gzip", if_none_match=first.headers["etag"]).status == 200


def test_a_head_is_the_pages_without_the_page(site: Site, pages: KeptPages) -> None:
    whole, head = get(pages), get(pages, method="HEAD")
    assert head.raw == b"" and head.headers == whole.headers and site.asked == 1


def test_hosts_that_somebody_makes_up_fill_no_memory(site: Site, pages: KeptPages) -> None:
    for number in range(MOST + 1):
        get(pages, host=f"{number}.example")
    assert get(pages, host=f"{MOST}.example").text.startswith(f"{MOST + 1} ")
    assert get(pages, host="0.example").text.startswith(f"{MOST + 2} ")  # the oldest went


def test_a_rendering_that_fails_is_each_ones_failure_and_is_not_kept(clock: Clock) -> None:
    broken = True

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        if broken:
            raise RuntimeError("it broke")
        await Site()(scope, receive, send)

    pages = KeptPages(behind, ("/",), clock)

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(ask(pages) for _ in range(3)), return_exceptions=True)

    assert [str(each) for each in asyncio.run(all_at_once())] == ["it broke"] * 3
    broken = False
    assert get(pages).text.startswith("1 / ")


def test_the_headers_of_every_response_are_on_it_too(site: Site) -> None:
    answer = get(SafeResponses(KeptPages(site, ("/",))), accept_encoding="br")
    assert "img-src" in answer.headers["content-security-policy"] and answer.headers["content-encoding"] == "br"
    assert answer.text.startswith("1 / ")
