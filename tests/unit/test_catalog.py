"""The catalogue's rows say only what the code can do, and all that a person must know."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from shared.backends import BACKENDS
from shared.catalog import Catalog, ModelSpec, Variant, load_catalog
from shared.engine import Engine
from shared.errors import UnknownModel
from shared.machine import Machine
from shared.placement import plan
from shared.requests import ChatRequest
from shared.settings import Settings
from shared.tasks import Mode, Task
from shared.weights import PICKLES

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "catalog"
MODELS = load_catalog().for_task(Task.CHAT)
VARIANTS = [pytest.param(spec, v, id=f"{spec.id}-{v.key}") for spec in MODELS for v in spec.variants]
SMALL = Machine(system="Linux", arch="x86_64", cores=2, ram_gb=8.0)


@pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec.id)
def test_a_model_names_its_licence_and_its_defaults_are_settings(spec: ModelSpec) -> None:
    assert spec.name and spec.license.strip() and "unknown" not in spec.license
    assert spec.variants
    assert set(spec.defaults) <= {f.name for f in dataclasses.fields(ChatRequest)} - ChatRequest.CONTENT
    if spec.retired:
        assert spec.successor in {other.id for other in MODELS if not other.retired}
    else:
        assert len(spec.summary) > 10
        assert spec.defaults.get("max_tokens"), "an answer without a limit may fill the context"


@pytest.mark.parametrize(("spec", "variant"), VARIANTS)
def test_a_variant_can_be_understood_by_its_engine(spec: ModelSpec, variant: Variant) -> None:
    assert variant.backend in BACKENDS
    assert variant.repo_id
    assert variant.revision is None or re.fullmatch(r"[0-9a-f]{40}", variant.revision)
    assert variant.device in {"auto", "cpu", "cuda", "mps"}
    if variant.filename:
        assert Path(variant.filename).suffix not in PICKLES
    if variant.mode != Mode.HOSTED:
        assert variant.memory_gb > 0, "without it the planner can't tell whether it fits"
        assert variant.options.get("package") or variant.download_gb > 0
        assert variant.memory_gb >= variant.download_gb, "the weights alone take more"


@pytest.mark.parametrize(("spec", "variant"), [p for p in VARIANTS if p.values[1].mode != Mode.HOSTED])
def test_a_local_variants_pictures_and_thinking_agree_with_its_model(spec: ModelSpec, variant: Variant) -> None:
    sees = variant.options.get("images") or variant.options.get("mmproj")
    assert not sees or spec.accepts_images
    assert not variant.options.get("thinking") or spec.thinks


def test_ids_and_ways_are_unique() -> None:
    rows = tomllib.loads((FOLDER / "conversational.toml").read_text(encoding="utf-8"))["model"]
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids))
    for spec in MODELS:
        keys = [variant.key for variant in spec.variants]
        assert len(keys) == len(set(keys)), spec.id


def test_exactly_one_model_needs_no_network_and_it_fits_a_small_laptop() -> None:
    (starter,) = [spec for spec in MODELS if spec.starter]
    assert len(plan(starter, SMALL, lambda variant: None).candidates) == len(starter.variants)


def test_a_small_laptop_is_told_why_a_large_model_is_not_for_it() -> None:
    (large,) = [spec for spec in MODELS if spec.id == "mixtral-8x7b"]
    refused = plan(large, SMALL, lambda variant: None).refused
    assert refused and "GB of memory" in refused[0].reason


def test_each_kind_of_model_has_a_row() -> None:
    ids = " ".join(spec.id for spec in MODELS)
    for family in ("smollm3", "qwen3", "gemma-3", "llama-3.2", "phi-4", "gpt-oss", "flan-t5", "mamba", "mixtral"):
        assert family in ids
    assert any(spec.accepts_images and v.mode == Mode.LOCAL for spec in MODELS for v in spec.variants)


def test_an_unknown_model_is_told_with_names_near_it(tmp_path: Path) -> None:
    engine = Engine(Catalog(MODELS), Settings(data_dir=tmp_path), SMALL)
    with pytest.raises(UnknownModel, match="smollm2-135m"):
        engine.find("smollm2-135")
