"""The settings of a picture begin as the model that is picked first has them, greyed out where it can't follow."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from shared.catalog import Catalog, ModelSpec, Variant, load_catalog
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.image.shapes import SHAPES
from shared.settings import Settings
from shared.tasks import Task
from shared.ui.image.settings_panel import NAMES, SettingsPanel, to_request
from shared.ui.model_picker import Picked


def spec(name: str, defaults: dict[str, Any], **more: Any) -> ModelSpec:
    variant = Variant(backend="diffusers", repo_id=f"a/{name}", **more)
    return ModelSpec(id=name, name=name, task=Task.TEXT_TO_IMAGE, license="MIT", variants=(variant,), defaults=defaults)


def screen(engine: Engine, picked: Picked) -> SettingsPanel:
    """The panel on a page, built where an event loop runs: elsewhere Gradio leaves loops of its own open."""

    async def build() -> SettingsPanel:
        with gr.Blocks(analytics_enabled=False):
            return SettingsPanel(engine, picked)

    return asyncio.run(build())


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    no_guidance = {"not": {"guidance_scale": "It was distilled."}}
    models = [
        spec("slow", {"num_inference_steps": 50, "guidance_scale": 7.0}),
        spec("fast", {"num_inference_steps": 2}, options=no_guidance),
    ]
    return Engine(Catalog(models), Settings(data_dir=tmp_path))


def test_the_screen_begins_with_the_picked_models_steps(engine: Engine) -> None:
    slow = screen(engine, Picked("slow", "local", None)).controls
    fast = screen(engine, Picked("fast", "local", None)).controls
    assert [slow["num_inference_steps"].value, fast["num_inference_steps"].value] == [50, 2]
    assert slow["guidance_scale"].value == 7.0 and slow["guidance_scale"].interactive
    assert not fast["guidance_scale"].interactive and "It was distilled." in fast["guidance_scale"].info


def offered(updates: list[dict[str, Any]]) -> list[str]:
    """What the scheduler's list then holds."""
    return [name for _, name in updates[NAMES.index("scheduler")]["choices"]]


def test_only_schedulers_of_the_models_kind_are_offered(tmp_path: Path) -> None:
    engine = Engine(load_catalog(), Settings(data_dir=tmp_path))
    panel = screen(engine, Picked("", "local", None))
    rows = [(spec, variant) for spec in engine.catalog.for_task(Task.TEXT_TO_IMAGE) for variant in spec.variants]
    for spec, variant in rows:
        updates = panel.for_engine(spec.id, variant.mode.value, variant.key, engine.settings)
        scheduler = updates[NAMES.index("scheduler")]
        own, *names = offered(updates)
        flows = {"FlowMatch" in name for name in names}
        assert own == "" and scheduler["value"] == ""
        assert len(flows) == 1 or not scheduler["interactive"], spec.id


def test_for_a_model_that_nobody_listed_all_schedulers_are_offered(engine: Engine) -> None:
    panel = screen(engine, Picked("slow", "local", None))
    names = offered(panel.for_engine("owner/name", "local", None, engine.settings))
    assert {"DDIMScheduler", "FlowMatchEulerDiscreteScheduler"} <= set(names)


def test_with_no_model_to_pick_every_control_is_there(engine: Engine) -> None:
    controls = screen(engine, Picked("", "hosted", None)).controls
    assert all(control.interactive for control in controls.values())


def test_sizes_are_of_the_usual_shapes_and_fit_the_model(tmp_path: Path) -> None:
    models = [spec("small", {}, options={"side": 512}), spec("large", {}, options={"side": 1024}), spec("unknown", {})]
    google = Variant(backend="google_images", repo_id="gemini-3-pro-image")
    models.append(replace(models[0], id="hosted", variants=(google,)))
    engine = Engine(Catalog(models), Settings(data_dir=tmp_path))
    panel = screen(engine, Picked("small", "local", None))

    def sizes(model: str, mode: str = "local") -> list[str]:
        update = panel.for_engine(model, mode, None, engine.settings)[NAMES.index("size")]
        assert update["choices"][0] == ("Model's own", "")
        return [value for _, value in update["choices"][1:]]

    assert "608x416" in panel.controls["size"].choices[3]
    assert sizes("small")[0] == "512x512" and sizes("large")[0] == sizes("unknown")[0] == "1024x1024"
    for model, side in (("small", 512), ("large", 1024)):
        found = [tuple(map(int, size.split("x"))) for size in sizes(model)]
        assert len(set(found)) == 7
        assert all(w % 16 == h % 16 == 0 and 0.88 < w * h / side**2 < 1.06 for w, h in found)
        for (w, h), (x, y) in zip(found, SHAPES.values(), strict=True):
            assert 0.96 < (w / h) / (x / y) < 1.05
    assert sizes("hosted", "hosted")[:2] == ["1024x1024", "848x1264"]  # no others are offered


def test_a_variation_of_nothing_is_not_sent() -> None:
    def given(**values: Any) -> dict[str, Any]:
        return to_request([values.get(name) for name in NAMES])

    assert given(seed="5", variation_strength=0, variation_seed="7") == {"seed": 5}
    assert given(variation_strength=0.5, variation_seed="7") == {"variation_strength": 0.5, "variation_seed": 7}
    with pytest.raises(InvalidRequest, match="seed must be a whole number"):
        given(variation_strength=0.5, variation_seed="x")


def test_a_name_that_is_no_model_changes_no_value(engine: Engine) -> None:
    panel = screen(engine, Picked("slow", "local", None))
    updates = panel.for_engine("nonsense", "local", None, engine.settings)
    assert not any("value" in update for update in updates) and all(update["interactive"] for update in updates)
