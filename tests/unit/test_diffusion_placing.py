"""Whether a pipeline goes to a GPU whole, part by part or layer by layer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.backends.diffusion.placing import Way, place, sizes, way
from shared.catalog import Variant
from shared.streaming import Emitter
from tests.support.tiny_pipelines import clip, clip_tokenizer, unet

PARTS = {"text_encoder": 2.0, "unet": 5.0, "vae": 0.5}


@pytest.mark.parametrize(
    ("free", "expected"),
    [(24.0, Way.WHOLE), (9.5, Way.WHOLE), (9.4, Way.PARTS), (7.0, Way.PARTS), (6.9, Way.LAYERS), (1.0, Way.LAYERS)],
)
def test_as_much_lies_there_as_fits_beside_what_a_run_takes(free: float, expected: Way) -> None:
    assert way(PARTS, 2.0, free) is expected


def test_a_parts_size_is_that_of_its_numbers(tmp_path: Path) -> None:
    import torch

    model = unet()
    pipe = SimpleNamespace(components={"unet": model, "words": clip(clip_tokenizer()).half(), "scheduler": object()})
    numbers = sum(value.numel() for value in model.parameters())
    found = sizes(pipe)
    assert set(found) == {"unet", "words"} and found["unet"] == pytest.approx(4 * numbers / 2**30)
    assert found["words"] < 2.1 * sum(value.numel() for value in clip(clip_tokenizer()).parameters()) / 2**30
    assert next(model.parameters()).dtype == torch.float32


def test_a_processor_gets_it_whole_and_says_nothing() -> None:
    told: list[object] = []
    moved: list[str] = []
    pipe = SimpleNamespace(components={}, to=moved.append)
    variant = Variant(backend="diffusers", repo_id="m", memory_gb=999.0)
    assert place(pipe, variant, "cpu", Emitter(told.append)) is Way.WHOLE
    assert moved == ["cpu"] and not told
