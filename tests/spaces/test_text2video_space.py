"""The video Space as people meet it, over a tiny random model in the starter's place: the screen is tested."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from shared.video.reading import measure
from shared.video.restoring import restore
from tests.support import measuring
from tests.support.api import bytes_of, calling, ended
from tests.support.browser import visitor
from tests.support.server import started
from tests.support.tiny_pipelines import PIXELS, stable_diffusion_tiny
from tests.support.tiny_video import sana_wm

PHONE = {"width": 390, "height": 844}
PLAYS = "() => { const v = document.querySelector('#film video'); return v && v.currentTime > 0 && v.videoWidth; }"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("weights")
    stable_diffusion_tiny(folder / "text2img")
    env = {"PLAYGROUND_WEIGHTS": str(folder), "PLAYGROUND_DATA": str(tmp_path_factory.mktemp("data"))}
    with started("spaces/text2video/app.py", env=env) as server:
        yield server.url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Client]:
    with calling(url) as opened:
        yield opened


@pytest.fixture(scope="module")
def clip_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return measuring.clip(tmp_path_factory.mktemp("models") / "clip")


@pytest.fixture
def page(url: str, browser: Browser) -> Iterator[Page]:
    with visitor(browser) as opened:
        opened.goto(url)
        expect(opened.locator("#make")).to_be_enabled()
        yield opened


def put(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.locator(f"#{name} textarea, #{name} input").first.fill(value)


def make(page: Page, **values: str) -> None:
    put(page, **{"prompt": "a red apple", "set-seed": "1", "set-num_inference_steps": "2", **values})
    page.locator("#make").click()


def made(page: Page, **values: str) -> None:
    make(page, **{"set-duration": "0.6", **values})
    expect(page.locator("#film video")).to_be_visible()
    expect(page.locator("#make")).to_be_visible()


@pytest.mark.browser
def test_a_clip_is_made_plays_and_is_restored_from_its_file(page: Page) -> None:
    made(page, shots="0.3: a butterfly")
    page.wait_for_function(PLAYS)
    expect(page.locator("#metrics")).to_contain_text("Frames/s")
    with page.expect_download() as saved:
        page.locator("#film a[download]").first.click()
    data = Path(saved.value.path()).read_bytes()
    known = measure(data)
    assert (known.num_frames, known.width) == (5, PIXELS)
    assert restore(data).shots[0].prompt == "a butterfly"
    put(page, **{"set-seed": "9", "shots": "", "prompt": "something else"})
    page.get_by_role("button", name="Restore settings").click()
    file = {"name": "clip.mp4", "mimeType": "video/mp4", "buffer": data}
    page.locator("#restore input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    expect(page.locator("#restore-told")).to_contain_text("Restored from a clip made here.")
    expect(page.locator("#prompt textarea")).to_have_value("a red apple")
    expect(page.locator("#shots textarea")).to_have_value("0.3: a butterfly")
    expect(page.locator("#set-seed input, #set-seed textarea").first).to_have_value("1")


@pytest.mark.browser
def test_it_plays_while_it_grows_and_stop_keeps_the_whole_frames(page: Page) -> None:
    make(page, **{"set-duration": "50", "set-num_inference_steps": "6"})
    expect(page.locator("#growing img")).to_be_visible()
    expect(page.locator("#growing")).to_contain_text("of 400")
    page.locator("#stop").click()
    expect(page.locator("#told")).to_contain_text("What was whole by then is kept.")
    expect(page.locator("#film video")).to_be_visible()
    expect(page.locator("#receipt-box")).to_be_visible()


@pytest.mark.browser
def test_clips_are_compared_looked_into_and_joined(page: Page, clip_model: Path) -> None:
    made(page)
    page.get_by_role("tab", name="Look inside").click()
    page.locator("#inside-run").click()
    expect(page.locator("#inside-strip figure")).to_have_count(4)
    expect(page.locator("#inside-plot")).to_be_visible()
    page.get_by_role("tab", name="CLIP over time").click()
    put(page, **{"clip-model": str(clip_model)})
    page.locator("#clip-run").click()
    expect(page.locator("#clip-plot")).to_be_visible()
    page.get_by_role("tab", name="Steps").click()
    page.locator("#steps-run").click()
    expect(page.locator("#steps-told")).to_contain_text("shows no steps")
    page.get_by_role("tab", name="Compare").click()
    page.locator("#compare-engines [title='Remove 1']").click()  # a quantized one would first have to be made
    page.locator("#compare-seeds").get_by_label("two").check()
    page.locator("#compare-run").click()
    expect(page.locator("#compare-table video")).to_have_count(2)
    expect(page.locator("#compare-table")).to_contain_text("SSIM")
    page.get_by_role("tab", name="Edit").click()
    buffer = base64.b64decode(_clip())
    own = {"name": "own.gif", "mimeType": "image/gif", "buffer": buffer}
    page.locator("#edit-files input[type=file]").set_input_files(own)  # type: ignore[arg-type]
    expect(page.locator("#edit-files")).to_contain_text(".gif")
    page.locator("#join-run").click()
    expect(page.locator("#edited video")).to_be_visible()
    page.get_by_role("tab", name="Go on").click()
    page.locator("#go-on").click()
    expect(page.locator("#make")).to_be_visible()


@pytest.mark.browser
def test_on_a_phone_nothing_is_wider_than_the_screen(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    made(page)
    expect(page.locator("#film video")).to_be_in_viewport(ratio=0.1)
    for tab in ("Storyboard", "Compare", "Make"):  # the others lie in a menu behind these
        page.get_by_role("tab", name=tab).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.browser
def test_a_picture_is_walked_through_by_a_world_model(page: Page, tmp_path: Path) -> None:
    folder = sana_wm(tmp_path / "world")
    page.get_by_role("tab", name="World").click()
    page.locator("#world-run").click()
    expect(page.locator("#world-told")).to_contain_text("Put in a picture")
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "green").save(file, "PNG")
    place = {"name": "place.png", "mimeType": "image/png", "buffer": file.getvalue()}
    page.locator("#world-picture input[type=file]").set_input_files(place)  # type: ignore[arg-type]
    page.locator("#world-model input").fill(str(folder))
    page.locator("#world-model input").press("Enter")
    put(page, **{"world-action": "w-8", "set-size": "64x64", "set-num_inference_steps": "2"})
    page.locator("#set-size input").press("Enter")
    page.locator("#world-j").click()
    expect(page.locator("#world-action input, #world-action textarea").first).to_have_value("w-8,j-16")
    page.locator("#world-run").click()
    expect(page.locator("#world-film video")).to_be_visible()


@pytest.mark.browser
def test_a_lesson_puts_its_run_on_the_screen(page: Page) -> None:
    page.get_by_role("button", name="Lessons").click()
    page.get_by_role("button", name="Each frame from the one before").click()
    expect(page.locator("#prompt textarea")).to_have_value("a sunflower")
    page.locator("#lesson-run").get_by_label("Much").check()
    expect(page.locator("#set-strength input, #set-strength textarea").first).to_have_value("0.6")


def test_the_api_makes_a_clip_that_carries_its_receipt(client: Client) -> None:
    said = ended(
        client,
        "/generate",
        prompt="a red apple",
        shots=[[0.2, "a rocket"]],
        seed=3,
        num_frames=4,
        num_inference_steps=2,
    )
    data = bytes_of(said["video"])
    assert measure(data).num_frames == 4 and restore(data).seed == 3 == said["receipt"]["seed"]
    assert said["receipt"]["model"] == "fluent-travel" and said["receipt"]["cost_note"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"prompt": " "}, "prompt is empty"),
        ({"prompt": "x", "num_frames": 5000}, "between 1 and 960"),
        ({"prompt": "x", "shots": [[1]]}, "pairs of a second and a prompt"),
        ({"prompt": "x", "camera": "dolly"}, "no camera called"),
        ({"prompt": "x", "width": 42, "num_frames": 1}, "multiple of"),
        ({"prompt": "x", "image": "data:image/png;base64,AAAA"}, "no PNG, JPEG, WebP or GIF"),
    ],
)
def test_what_cannot_be_made_is_told_in_words(client: Client, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(AppError, match=words):
        ended(client, "/generate", **wrong)


def test_models_are_listed(client: Client) -> None:
    listed = client.predict(api_name="/models")
    assert any(model["id"] == "fluent-travel" and model["starter"] for model in listed)


def _clip() -> str:
    file = io.BytesIO()
    frames = [Image.new("P", (48, 32), at) for at in range(6)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=125)
    return base64.b64encode(file.getvalue()).decode()
