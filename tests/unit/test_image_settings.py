"""The settings of a picture begin as the model that is picked first has them, greyed out where it can't follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.settings import Settings
from shared.tasks import Task
from shared.ui.image.settings_panel import SettingsPanel
from shared.ui.model_picker import Picked


def spec(name: str, defaults: dict[str, Any], **more: Any) -> ModelSpec:
    variant = Variant(backend="diffusers", repo_id=f"a/{name}", **more)
    return ModelSpec(id=name, name=name, task=Task.TEXT_TO_IMAGE, license="MIT", variants=(variant,), defaults=defaults)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    no_guidance = {"not": {"guidance_scale": "It was distilled."}}
    models = [
        spec("slow", {"num_inference_steps": 50, "guidance_scale": 7.0}),
        spec("fast", {"num_inference_steps": 2}, options=no_guidance),
    ]
    return Engine(Catalog(models), Settings(data_dir=tmp_path))


def test_the_screen_begins_with_the_picked_models_steps(engine: Engine) -> None:
    slow = SettingsPanel(engine, Picked("slow", "local", None)).controls
    fast = SettingsPanel(engine, Picked("fast", "local", None)).controls
    assert [slow["num_inference_steps"].value, fast["num_inference_steps"].value] == [50, 2]
    assert slow["guidance_scale"].value == 7.0 and slow["guidance_scale"].interactive
    assert not fast["guidance_scale"].interactive and "It was distilled." in fast["guidance_scale"].info


def test_with_no_model_to_pick_every_control_is_there(engine: Engine) -> None:
    controls = SettingsPanel(engine, Picked("", "hosted", None)).controls
    assert all(control.interactive for control in controls.values())


def test_a_name_that_is_no_model_changes_no_value(engine: Engine) -> None:
    panel = SettingsPanel(engine, Picked("slow", "local", None))
    updates = panel.for_engine("nonsense", "local", None, engine.settings)
    assert not any("value" in update for update in updates) and all(update["interactive"] for update in updates)
