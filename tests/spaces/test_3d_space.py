"""The 3D Space in a browser and on the API: a picture of one's own is lifted, shown, turned, saved and restored."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trimesh
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Locator, Page, expect

from shared.solid.files import encode
from shared.solid.restoring import made_here
from tests.support import captures, motions
from tests.support.api import bytes_of, calling, ended
from tests.support.browser import visitor
from tests.support.lessons import choose
from tests.support.pictures import pixels
from tests.support.server import started
from tests.support.solids import lifted, part, picture


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    env = {"PLAYGROUND_DATA": str(tmp_path_factory.mktemp("data"))}
    with started("spaces/3d/app.py", env=env) as server:
        yield server.url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Client]:
    with calling(url) as opened:
        yield opened


def shot(place: Locator) -> Image.Image:
    return Image.open(io.BytesIO(place.screenshot())).convert("RGB")


def red(image: Image.Image) -> int:
    """How many of its pixels are reddish."""
    parts = image.split()
    masks = [ImageChops.subtract(parts[0], other).point(lambda v: 255 * (v > 60)) for other in parts[1:]]
    return ImageChops.darker(*masks).histogram()[255]


def until(page: Page, place: Locator, holds: Any) -> Image.Image:
    """The place's picture, once it is as it should be: WebGL on a processor takes its time."""
    for _ in range(120):
        if holds(seen := shot(place)):
            return seen
        page.wait_for_timeout(250)
    raise AssertionError("the solid is not shown so")


@pytest.mark.browser
def test_a_picture_is_lifted_shown_turned_saved_and_restored(url: str, browser: Browser) -> None:
    with visitor(browser) as page:
        asked_elsewhere: list[str] = []
        page.on(
            "request", lambda r: None if r.url.startswith((url, "data:", "blob:")) else asked_elsewhere.append(r.url)
        )
        page.goto(url)
        expect(page.locator("#make")).to_be_enabled()
        page.get_by_role("button", name="Lift a picture of yours").click()
        star = {"name": "star.png", "mimeType": "image/png", "buffer": part(picture("star")).data}
        page.locator("#source input[type=file]").set_input_files(star)  # type: ignore[arg-type]
        expect(page.locator("#source img")).to_be_visible()
        page.locator("#make").click()
        expect(page.locator("#metrics")).to_contain_text("Triangles")
        expect(page.locator("#metrics")).to_contain_text("Closedyes")
        canvas = page.locator("#solid canvas")
        before = until(page, canvas, lambda seen: red(seen) > 2000)
        box = canvas.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2 + 160, box["y"] + box["height"] / 2, steps=6)
        page.mouse.up()
        until(page, canvas, lambda seen: 200 < red(seen) < 0.8 * red(before))  # seen from the side it is narrower
        page.locator("#save").click()
        with page.expect_download() as saved:
            page.locator("#file a[download]").first.click()
        file = saved.value.path().read_bytes()
        assert trimesh.load(io.BytesIO(file), file_type="glb", force="mesh").is_watertight
        assert made_here(file)["receipt"]["model"] == "starter-lift"
        assert asked_elsewhere == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="Restore settings").click()
        page.locator("#restore input[type=file]").set_input_files(  # type: ignore[call-overload]
            {"name": "star.glb", "mimeType": "model/gltf-binary", "buffer": file}
        )
        expect(page.locator("#restore-told")).to_contain_text("add that picture again")
        noise = {"name": "noise.png", "mimeType": "image/png", "buffer": part(pixels(64, 64)).data}
        page.get_by_role("button", name="Clear").or_(page.locator("#source [aria-label=Clear]")).first.click()
        page.locator("#source input[type=file]").set_input_files(noise)  # type: ignore[arg-type]
        expect(page.locator("#source img")).to_be_visible()
        page.locator("#make").click()
        expect(page.locator("#told")).to_contain_text("background isn't plain")


@pytest.mark.browser
def test_solids_are_compared_looked_into_and_made_ready_to_print(url: str, browser: Browser, tmp_path: Path) -> None:
    with visitor(browser) as page:
        page.goto(url)
        expect(page.locator("#make")).to_be_enabled()
        page.get_by_role("tab", name="Print").click()
        page.locator("#print-run").click()
        expect(page.locator("#print-told")).to_contain_text("There is no solid yet")
        page.get_by_role("tab", name="Compare").click()
        star = {"name": "star.png", "mimeType": "image/png", "buffer": part(picture("star")).data}
        page.locator("#compare-source input[type=file]").set_input_files(star)  # type: ignore[arg-type]
        expect(page.locator("#compare-source img")).to_be_visible()
        page.locator("#compare-run").click()
        views = page.locator("#compare-views canvas")
        expect(views).to_have_count(2)
        expect(page.locator("#compare-views")).to_contain_text("triangles")
        before = [until(page, views.nth(number), lambda seen: red(seen) > 2000) for number in range(2)]
        views.first.focus()
        for _ in range(7):
            page.keyboard.press("ArrowLeft")
        for number, seen in enumerate(before):  # one is turned, and both are seen from the side
            until(page, views.nth(number), lambda now, seen=seen: red(now) < 0.85 * red(seen))
        page.get_by_role("tab", name="Print").click()
        mesh = {"name": "star.stl", "mimeType": "model/stl", "buffer": encode(lifted("star")[0], "stl")}
        page.locator("#print-mesh input[type=file]").set_input_files(mesh)  # type: ignore[arg-type]
        expect(page.locator("#print-mesh")).to_contain_text("star.stl")
        page.locator("#print-run").click()
        expect(page.locator("#print-findings")).to_contain_text("every side belongs to two faces")
        with page.expect_download() as saved:
            page.locator("#print-file a[download]").first.click()
        assert trimesh.load(io.BytesIO(saved.value.path().read_bytes()), file_type="stl").is_watertight
        for name, chosen in (("bake", "512 pixels"), ("kind", "GLB")):
            page.locator(f"#print-{name} input").click()
            page.get_by_role("option", name=chosen, exact=True).click()
        page.locator("#print-run").click()
        expect(page.locator("#print-told")).to_contain_text("Baked onto")
        worn = page.locator("#print-views canvas").last
        until(page, worn, lambda seen: sum(seen.convert("L").histogram()[:220]) > 2000)
        page.get_by_role("tab", name="Make").click()
        page.get_by_role("button", name="Lift a picture of yours").click()
        page.locator("#source input[type=file]").set_input_files(star)  # type: ignore[arg-type]
        expect(page.locator("#source img")).to_be_visible()
        page.locator("#make").click()
        expect(page.locator("#metrics")).to_contain_text("Triangles")
        page.get_by_role("tab", name="Look inside").click()
        page.locator("#inside-look").click()
        expect(page.locator("#inside-stages img")).to_have_count(8)
        expect(page.locator("#inside-slice img")).to_be_visible()
        page.get_by_role("tab", name="Learn").click()
        page.get_by_role("button", name="Learn from something else").click()
        taken = captures.packed(tmp_path / "balls.zip", captures.transforms(6), captures.pictures(6))
        page.locator("#learn-zip input[type=file]").set_input_files(taken)
        expect(page.locator("#learn-zip")).to_contain_text("balls")
        for name, value in (("count", "64"), ("steps", "10")):
            page.locator(f"#learn-{name} input[type=number]").fill(value)
            page.locator(f"#learn-{name} input[type=number]").blur()
        page.locator("#learn-several input").check()
        page.locator("#learn-run").click()
        expect(page.locator("#learn-table tr")).to_have_count(5)
        expect(page.locator("#learn-plot svg")).to_be_visible()
        expect(page.locator("#learn-picture img")).to_be_visible()
        expect(page.locator("#learn-splats canvas")).to_be_visible()
        page.get_by_role("button", name="Lessons").click()
        page.get_by_role("button", name="How deep is a picture?").click()
        expect(page.locator("#lesson-question")).to_contain_text("What do you see from the front")
        expect(page.locator("#prompt textarea")).to_have_value("a mushroom")
        expect(page.locator("#set-depth input[type=number]")).to_have_value("0.15")
        choose(page, "Ball")
        expect(page.locator("#set-depth input[type=number]")).to_have_value("1")


def test_the_api_lifts_a_picture_into_any_file(client: Client) -> None:
    usual = {
        "model": "picture-lift",
        "image": part(picture("disc")).data_url,
        "resolution": 32,
        "depth": 1.0,
        "parts": 0.0,
    }
    made = ended(client, "/generate", **usual)
    mesh = trimesh.load(io.BytesIO(bytes_of(made["solid"])), file_type="glb", force="mesh")
    assert mesh.is_watertight and made["receipt"]["extra"]["watertight"] and made["finish_reason"] == "stop"
    volume = 4 / 3 * math.pi * 3**3
    assert made["receipt"]["extra"]["volume_cm3"] == pytest.approx(volume, rel=0.08)
    stl = ended(client, "/generate", **usual, file="stl")
    assert trimesh.load(io.BytesIO(bytes_of(stl["solid"])), file_type="stl").is_watertight
    listed = client.predict(api_name="/models")
    assert {row["id"]: row["runs_here"] for row in listed}["picture-lift"] is True


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"prompt": " "}, "nothing to make"),
        ({"prompt": "a cat", "file": "fbx"}, "saved as one of"),
        ({"image": "http://127.0.0.1/x.png"}, "must be a data URL"),
        ({"model": "picture-lift", "image": part(pixels(64, 64)).data_url}, "background isn't plain"),
    ],
)
def test_what_can_not_be_made_is_told(client: Client, more: dict[str, Any], words: str) -> None:
    with pytest.raises(AppError, match=words):
        ended(client, "/generate", **more)


@pytest.mark.browser
def test_a_skeleton_moves_to_words(url: str, browser: Browser, tmp_path: Path) -> None:
    folder = motions.tiny(tmp_path / "tiny")
    with visitor(browser) as page:
        page.goto(url)
        expect(page.locator("#make")).to_be_enabled()
        page.get_by_role("tab", name="Motion", exact=True).click()
        page.locator("#motion-run").click()
        expect(page.locator("#motion-told")).to_contain_text("Name a motion model first")
        field = page.locator("#text-to-motion-model input")
        field.fill(str(folder))
        field.press("Enter")
        expect(page.locator("#text-to-motion-engine-note")).to_contain_text("Licence")
        page.locator("#motion-num_inference_steps input, #motion-num_inference_steps textarea").first.fill("4")
        page.locator("#motion-seconds input[type=number]").fill("2")
        page.locator("#motion-seconds input[type=number]").press("Tab")
        page.locator("#motion-run").click()
        canvas = page.locator("#motion-player canvas")
        expect(canvas).to_be_visible()
        before = shot(canvas)
        until(page, canvas, lambda seen: ImageChops.difference(seen, before).getbbox())  # it moves by itself
        page.get_by_role("button", name="Pause").click()
        with page.expect_download() as saved:
            page.locator("#motion-files a[download]").first.click()
        assert made_here(saved.value.path().read_bytes())["receipt"]["backend"] == "motion_diffusion"
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="Lessons").click()
        page.get_by_role("button", name="How deep is a picture?").click()  # it opens Make, with the engines of solids
        expect(page.locator("#model")).to_be_visible()
        expect(page.locator("#text-to-motion-model")).to_be_hidden()


def test_a_motion_is_made_by_a_program_and_nothing_is_made_without_a_model(client: Client, tmp_path: Path) -> None:
    with pytest.raises(AppError, match="no model called"):
        client.predict("a person walks", "nobody", api_name="/motion")
    asked = {"duration": 1.0, "num_inference_steps": 3, "seed": 5, "file": "bvh"}
    made = client.predict("a person walks", str(motions.tiny(tmp_path / "tiny")), **asked, api_name="/motion")
    assert bytes_of(made["motion"]).startswith(b"HIERARCHY") and made["seconds"] == 1.0
    assert made["receipt"]["seed"] == 5 and made["receipt"]["task"] == "text-to-motion"
