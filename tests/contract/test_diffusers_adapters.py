"""LoRA adapters in the diffusers engine, made by the tests for tiny random pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.catalog import Variant
from shared.engine import Engine
from shared.errors import BackendError, CorruptWeights, HubUnavailable, UnknownModel
from shared.settings import Settings
from tests.support import tiny_pipelines
from tests.support.drawing import FORCED, build, draw, engine_for, picture, variant_for

pytestmark = FORCED
FAMILIES = ("sd", "sdxl", "sd3", "flux", "qwen", "z")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("tiny")
    found = build(folder, FAMILIES)
    return found | {f"lora-{name}": tiny_pipelines.lora(folder / f"lora-{name}", found[name]) for name in FAMILIES}


def adapted(made: dict[str, Path], name: str, adapter: Path | str, **more: Any) -> Variant:
    return variant_for(made[name], options={"adapter": str(adapter), **more})


@pytest.fixture(scope="module")
def tiny(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Engine:
    variants: dict[str, Variant] = {}
    for name in FAMILIES:
        folder = made[f"lora-{name}"]
        variants[name] = variant_for(made[name])
        variants[f"{name}-whole"] = adapted(made, name, folder)
        variants[f"{name}-half"] = adapted(made, name, folder / tiny_pipelines.LORA, adapter_weight=0.5)
        variants[f"{name}-none"] = adapted(made, name, folder, adapter_weight=0)
    return engine_for(tmp_path_factory.mktemp("data"), **variants)


@pytest.mark.parametrize("name", FAMILIES)
def test_an_adapter_changes_the_picture_as_much_as_its_weight_says(tiny: Engine, name: str) -> None:
    plain = picture(tiny, name)
    assert picture(tiny, f"{name}-none") == plain
    assert len({plain, picture(tiny, f"{name}-half"), picture(tiny, f"{name}-whole")}) == 3
    assert picture(tiny, name) == plain  # the model without it is another in memory, and stays as it was


def test_the_receipt_names_the_adapter_and_not_its_place(tiny: Engine) -> None:
    receipt = draw(tiny, "sd-half").receipt
    assert (receipt.extra["adapter"], receipt.extra["adapter_weight"]) == (tiny_pipelines.LORA, 0.5)
    assert draw(tiny, "sd-whole").receipt.extra["adapter_weight"] == 1.0
    assert "adapter" not in draw(tiny, "sd").receipt.extra


def refused(made: dict[str, Path], data: Path, name: str, adapter: Path | str, **settings: Any) -> None:
    engine = engine_for(data, Settings(data_dir=data, **settings), m=adapted(made, name, adapter))
    draw(engine, "m")


@pytest.mark.parametrize(("name", "other"), [("sdxl", "sd"), ("flux", "sd"), ("z", "qwen"), ("sd", "flux")])
def test_an_adapter_of_another_family_is_refused(made: dict[str, Path], tmp_path: Path, name: str, other: str) -> None:
    with pytest.raises(BackendError, match=f"lora-{other} doesn't fit this model"):
        refused(made, tmp_path, name, made[f"lora-{other}"])


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("ending", ["bin", "pt", "ckpt", "PT"])
def test_an_adapter_in_pickle_is_refused_and_never_opened(
    made: dict[str, Path], tmp_path: Path, ending: str, inside: bool
) -> None:
    ran = tmp_path / "ran"
    file = tmp_path / f"lora.{ending}"
    file.write_bytes(f"cbuiltins\nopen\n(S{str(ran)!r}\nS'w'\ntR.".encode())
    with pytest.raises(CorruptWeights, match="is a pickle file"):
        refused(made, tmp_path / "data", "sd", tmp_path if inside else file)
    assert not ran.exists()


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_an_adapter_cut_short_is_told(made: dict[str, Path], tmp_path: Path, keep: int) -> None:
    whole = (made["lora-sd"] / tiny_pipelines.LORA).read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:keep])
    with pytest.raises(CorruptWeights, match="Download it again"):
        refused(made, tmp_path, "sd", tmp_path / "cut.safetensors")


def test_an_adapter_that_is_not_there_is_told(made: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="no adapter"):
        refused(made, tmp_path, "sd", tmp_path / "nothing.safetensors")
    with pytest.raises(HubUnavailable, match="offline"):
        refused(made, tmp_path, "sd", "owner/no-such-adapter", offline=True)


def test_a_folder_must_hold_one_adapter(made: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="holds no safetensors"):
        refused(made, tmp_path / "data", "sd", tmp_path)
    whole = (made["lora-sd"] / tiny_pipelines.LORA).read_bytes()
    for name in ("one", "two"):
        (tmp_path / f"{name}.safetensors").write_bytes(whole)
    with pytest.raises(BackendError, match=r"several adapters: one\.safetensors, two\.safetensors"):
        refused(made, tmp_path / "data", "sd", tmp_path)
