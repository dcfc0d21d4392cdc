"""A picture that a provider names by its address: what is fetched, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.errors import BackendError, InvalidRequest, NoBackendAvailable, ProviderError, ProviderTimeout
from shared.retries import RetryPolicy
from tests.support.fake_server import Act, Asked, serving
from tests.support.hosted import KEY, Hosted, engine_for
from tests.support.hosted_images import draw, drawing, final_of, image_settings
from tests.support.protocols_images import PICTURE, Generations, bearer

ONCE = RetryPolicy(attempts=1)
FILE = Act(body=PICTURE, headers={"Content-Type": "image/png"})


@pytest.fixture
def case() -> Iterator[Hosted]:
    with drawing(Generations()) as made:
        yield made


def named(case: Hosted, url: str) -> Hosted:
    """The provider names this address instead of sending the picture."""
    assert case.settings is not None
    case.fake.act = Act(body={"data": [{"url": url}]})
    return replace(case, engine=engine_for(case.settings, ONCE))


def test_a_file_of_the_same_server_is_fetched_without_the_key(case: Hosted) -> None:
    fetched: list[Asked] = []

    def give(asked: Asked) -> Act:
        fetched.append(asked)
        return FILE

    case.fake.routes["/files/"] = give
    final = final_of(named(case, f"{case.fake.url}/files/1.png?signature=abc").events())
    assert final.output.images[0].data == PICTURE
    assert fetched[0].path == "/files/1.png?signature=abc" and KEY not in str(fetched[0].headers)


def test_another_server_of_this_network_is_not_called(case: Hosted) -> None:
    with serving(FILE) as other:
        with pytest.raises(ProviderError, match="isn't called"):
            named(case, f"{other.url}/1.png").events()
        assert not other.asked


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:1/x.png",
        "https://localhost/x.png",
        "https://10.0.0.8/x.png?signature=abc",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/x.png",
        "https://[::ffff:10.0.0.1]/x.png",
        "http://93.184.216.34/x.png",
        "https://user:password@93.184.216.34/x.png",
        "file:///etc/passwd",
        "ftp://example.com/x.png",
        "//example.com/x.png",
        "https://[broken/x.png",
        "javascript:alert(1)",
    ],
)
def test_addresses_that_are_never_called(case: Hosted, url: str) -> None:
    with pytest.raises(ProviderError, match="isn't called"):
        named(case, url).events()


def test_a_redirect_is_not_followed(case: Hosted) -> None:
    with serving(FILE) as other:
        case.fake.routes["/files/"] = lambda asked: Act(status=302, headers={"Location": f"{other.url}/1.png"})
        with pytest.raises(ProviderError, match="status 302"):
            named(case, f"{case.fake.url}/files/1.png").events()
        assert not other.asked


def test_a_file_that_is_refused_is_no_refused_key(case: Hosted) -> None:
    case.fake.routes["/files/"] = lambda asked: Act(status=403, body="expired")
    with pytest.raises(ProviderError, match="status 403"):
        named(case, f"{case.fake.url}/files/1.png").events()


def test_a_file_that_is_no_picture_or_too_large_is_told(case: Hosted) -> None:
    case.fake.routes["/files/"] = lambda asked: Act(body="<html>gone</html>")
    with pytest.raises(ProviderError, match="no whole picture"):
        named(case, f"{case.fake.url}/files/1.png").events()
    case.fake.routes["/files/"] = lambda asked: Act(chunks=(" " * 2**20,) * 200)
    with pytest.raises(ProviderError, match="more than 128 MiB"):
        named(case, f"{case.fake.url}/files/1.png").events()


def test_a_file_that_never_comes_ends_in_a_timeout(case: Hosted) -> None:
    case.fake.routes["/files/"] = lambda asked: Act(before="hang")
    with pytest.raises(ProviderTimeout):
        named(case.with_settings(picture_timeout=0.5), f"{case.fake.url}/files/1.png").events()
    assert case.fake.closed.wait(1)


def test_a_servers_key_never_goes_to_a_url_that_a_person_chose(case: Hosted) -> None:
    assert case.settings is not None
    keys = {name: case.settings.server_keys["TOGETHER_API_KEY"] for name in ("CUSTOM_API_KEY", "OPENAI_API_KEY")}
    theirs = f"m@{case.fake.url}/v1"
    generous = case.with_settings(server_keys=keys)
    assert generous.settings is not None
    replace(generous, model=theirs).events()
    assert KEY not in str(case.fake.asked[0].headers)
    own = generous.settings.with_session_keys({"CUSTOM_API_KEY": "my-own-key"})
    replace(generous, model=theirs, settings=own).events()
    assert bearer(case.fake.asked[1]) == "my-own-key"


@pytest.mark.parametrize("url", ["http://example.com/v1", "https://127.0.0.1/v1", "https://10.0.0.8/v1"])
def test_a_public_server_calls_nothing_of_its_own_network(url: str) -> None:
    engine = engine_for(image_settings(Generations(), "http://127.0.0.1:9", public=True), ONCE)
    with pytest.raises((BackendError, NoBackendAvailable, InvalidRequest)) as caught:
        list(engine.generate(f"m@{url}", draw()))
    assert "https" in str(caught.value) or "network" in str(caught.value)
