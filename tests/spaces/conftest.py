"""A chat, an image and an audio Space for several modules, in processes of their own, and what plays the providers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gradio_client import Client
from playwright.sync_api import Browser, Page

from tests.support import moderation, tiny_music, tiny_pipelines
from tests.support.api import calling
from tests.support.browser import browsing, visiting
from tests.support.fake_server import Act, FakeServer, serving
from tests.support.providers import Providers, providers
from tests.support.server import Server, started

# Seconds, short, for tests of silent providers.
QUICK = {"PLAYGROUND_FIRST_OUTPUT_TIMEOUT": "1", "PLAYGROUND_IDLE_TIMEOUT": "1"}


@pytest.fixture(scope="session")
def played() -> Iterator[Providers]:
    """The providers."""
    with providers() as servers:
        yield servers


@pytest.fixture(scope="session")
def space(played: Providers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The Space, which has a key for each provider."""
    env = {**played.environment(), **QUICK, "PLAYGROUND_DATA": str(tmp_path_factory.mktemp("data"))}
    with started("spaces/chat/app.py", env=env, log=tmp_path_factory.mktemp("log") / "log.txt") as server:
        yield server


@pytest.fixture(scope="session")
def moderator() -> Iterator[FakeServer]:
    """OpenAI's moderation, as far as a visitor has a key for it: it flags what has `fight` in it."""
    with serving(Act(status=404)) as fake:
        fake.routes["/v1/moderations"] = moderation.by_word
        yield fake


@pytest.fixture(scope="session")
def image_space(moderator: FakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The image Space over a tiny random model in the starter's place: the screen is tested, not the drawing."""
    folder = tmp_path_factory.mktemp("weights")
    tiny_pipelines.stable_diffusion_tiny(folder / "text2img")
    env = {"PLAYGROUND_WEIGHTS": str(folder), "PLAYGROUND_DATA": str(tmp_path_factory.mktemp("data"))}
    with started("spaces/text2img/app.py", env={**env, "OPENAI_BASE_URL": f"{moderator.url}/v1"}) as server:
        yield server


@pytest.fixture(scope="session")
def audio_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The audio Space: its starter voice is the real one, its music starter tiny and random."""
    weights = tmp_path_factory.mktemp("weights")
    tiny_music.soundfont(tiny_music.music_model(weights / "text2music") / "sonivox.sf2")
    env = {"PLAYGROUND_WEIGHTS": str(weights), "PLAYGROUND_DATA": str(tmp_path_factory.mktemp("data"))}
    with started("spaces/text2audio/app.py", env=env) as server:
        yield server.url


@pytest.fixture(scope="session")
def audio(audio_url: str) -> Iterator[Client]:
    """The audio Space's API."""
    with calling(audio_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser. A module's own, since Playwright keeps an event loop running."""
    with browsing() as opened:
        yield opened


@pytest.fixture
def page(space: Server, played: Providers, browser: Browser) -> Iterator[Page]:
    """A new visitor's page; the providers answer well until a test says otherwise."""
    played.reset()
    with visiting(browser, space.url) as opened:
        yield opened
