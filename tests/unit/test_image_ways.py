"""The image Space's panels for ways to draw fit the engine, and make a request's fields."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import pytest

from shared.catalog import Catalog, ModelSpec, Variant, load_catalog
from shared.engine import Engine
from shared.media.opening import open_picture
from shared.settings import Settings
from shared.tasks import Task
from shared.ui.following import Together
from shared.ui.image.control_panel import ControlPanel, asked
from shared.ui.image.outpaint_panel import OutpaintPanel, read
from shared.ui.model_picker import Picked
from tests.support.pictures import pixels

P = TypeVar("P")


def built(make: Callable[[], P]) -> P:
    """A panel on a page, built where an event loop runs: elsewhere Gradio leaves loops of its own open."""

    async def build() -> P:
        with gr.Blocks(analytics_enabled=False):
            return make()

    return asyncio.run(build())


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    hosted = Variant(backend="google_images", repo_id="gemini-3-pro-image")
    spec = ModelSpec(id="hosted", name="h", task=Task.TEXT_TO_IMAGE, license="MIT", variants=(hosted,))
    return Engine(Catalog([*load_catalog(), spec]), Settings(data_dir=tmp_path))


def test_a_screen_offers_the_models_own_controls_and_says_where_there_are_none(engine: Engine) -> None:
    panel = built(lambda: ControlPanel(engine, Picked("sd-1.5", "local", None)))
    assert [value for _, value in panel.kind.choices] == ["canny", "scribble", "depth"]
    assert (panel.kind.value, panel.reader.value, panel.source.interactive) == ("canny", "edges", True)

    def changed(model: str, mode: str) -> dict[str, dict[str, Any]]:
        updates = panel.for_engine(model, mode, None, engine.settings)
        assert len(updates) == len(panel.inputs)
        return dict(zip(("note", "kind", "reader", "source", "scale", "end"), updates, strict=True))

    assert ("Sketch (T2I-Adapter)", "t2i-sketch") in changed("sdxl", "local")["kind"]["choices"]
    for model, mode, words in (("z-image-turbo", "local", "No ControlNet"), ("hosted", "hosted", "Google has no")):
        none = changed(model, mode)
        assert words in none["note"]["value"] and none["kind"]["choices"] == []
        assert not any(none[name]["interactive"] for name in ("kind", "reader", "source", "scale", "end"))
    assert panel._usual_reader("scribble", "sd-1.5", "local", None) == "lines"


def test_what_leads_becomes_a_requests_fields(tmp_path: Path) -> None:
    pixels(20, 10).save(tmp_path / "shown.png")
    found = asked(str(tmp_path / "shown.png"), "canny", 0.8, 0.5)
    assert open_picture(found.pop("control_image").data).tobytes() == pixels(20, 10).tobytes()
    assert found == {"control": "canny", "controlnet_conditioning_scale": 0.8, "control_guidance_end": 0.5}
    assert asked(None, "canny", 0.8, 0.5) == {}
    assert "control_guidance_end" not in asked(str(tmp_path / "shown.png"), None, 1.0, 1.0)


def test_drawing_beyond_the_edges_is_offered_where_a_mask_is_taken(engine: Engine) -> None:
    panel = built(lambda: OutpaintPanel(engine, Picked("sd-1.5", "local", None)))
    assert "stays as it is" in panel.note.value and all(control.interactive for control in panel.values)
    both = Together(panel, panel)
    updates = both.for_engine("hosted", "hosted", None, engine.settings)
    assert len(updates) == len(both.inputs) == 2 * len(panel.inputs)
    assert "takes no mask" in updates[0]["value"] and not any(update["interactive"] for update in updates[1:6])
    assert "no mask" in panel.for_engine("lcm-dreamshaper", "local", None, engine.settings)[0]["value"]


@pytest.mark.parametrize(
    ("shape", "percent", "sides"),
    [
        ("", (0, 0, 0, 0), None),
        ("", (25, 0, 0, 50), (0.25, 0.0, 0.0, 0.5)),
        ("", (None, None, 10, None), (0.0, 0.0, 0.1, 0.0)),
        ("Wide 16:9", (0, 0, 0, 0), (0.3889, 0.0, 0.3889, 0.0)),
        ("Square", (100, 0, 0, 0), (1.0, 0.5, 0.0, 0.5)),
        ("Square", (0, 0, 0, 0), None),
    ],
)
def test_numbers_and_a_shape_become_the_sides(shape: str, percent: Any, sides: Any) -> None:
    found = read((90, 90), shape, *percent)
    assert found == (None if sides is None else pytest.approx(sides, abs=1e-3))
