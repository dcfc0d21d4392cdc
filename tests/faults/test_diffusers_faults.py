"""What the diffusers engine says to weights that are broken or dangerous, to memory that runs out, to bad pictures."""

from __future__ import annotations

import gc
import shutil
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.backends.local import hub
from shared.engine import Engine
from shared.errors import BackendError, CorruptWeights, HubUnavailable, InvalidRequest, OutOfMemory, UnknownModel
from shared.events import Preview
from shared.requests import ImagePart
from shared.settings import Settings
from shared.streaming import Emitter
from tests.support.device import DTYPE
from tests.support.drawing import FORCED, ask, build, draw, engine_for, picture, variant_for
from tests.support.pictures import chunk, encoded
from tests.support.tiny_models import edit_json

pytestmark = FORCED
UNET, WORDS = "unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"), ["sd"])["sd"]


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "model"))


def try_it(path: Path | str, data: Path, **settings: Any) -> None:
    draw(engine_for(data, Settings(data_dir=data, **settings), m=variant_for(path)), "m")


def told(path: Path, kind: type[BackendError] | type[UnknownModel], words: str) -> None:
    """Loading the folder fails in these words, without the way to it on this machine."""
    with pytest.raises(kind, match=words) as caught:
        try_it(path, path.parent / "data")
    assert str(path.parent) not in str(caught.value)


@pytest.mark.parametrize("file", [UNET, WORDS, "vae/diffusion_pytorch_model.safetensors"])
@pytest.mark.parametrize("keep", [0, 5, 300, -1, -10_000])
def test_weights_cut_short_are_told(copy: Path, file: str, keep: int) -> None:
    (copy / file).write_bytes((copy / file).read_bytes()[:keep])
    told(copy, CorruptWeights, r"\.safetensors is (cut short|not a whole safetensors file).*Download it again")


@pytest.mark.parametrize("file", [UNET, WORDS])
def test_weights_that_are_none_are_told(copy: Path, file: str) -> None:
    (copy / file).write_bytes(b"\xff" * 9000)
    told(copy, CorruptWeights, "not a whole safetensors file")


def test_a_preview_that_is_broken_is_told(copy: Path) -> None:
    (copy / "preview").mkdir()
    (copy / "preview" / "linear.safetensors").write_bytes(b"\xff" * 100)
    told(copy, CorruptWeights, "linear.safetensors")


@pytest.mark.parametrize("file", [UNET, WORDS])
def test_a_tensor_that_lacks_is_told_and_never_drawn_at_random(copy: Path, file: str) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(copy / file)
    del tensors[min(name for name in tensors if name.endswith("weight"))]
    save_file(tensors, copy / file, metadata={"format": "pt"})
    told(copy, CorruptWeights, "model lacks some of its weights, .*weight for one")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("part", ["unet", "text_encoder", "vae"])
def test_weights_of_numbers_that_are_none_are_told_and_no_black_picture_is_shown(
    copy: Path, tmp_path: Path, part: str, value: float
) -> None:
    from safetensors.torch import load_file, save_file

    (file,) = (copy / part).glob("*.safetensors")
    tensors = load_file(file)
    for tensor in tensors.values():
        tensor.view(-1)[0] = value
    save_file(tensors, file, metadata={"format": "pt"})
    engine = engine_for(tmp_path / "data", Settings(data_dir=tmp_path / "data"), m=variant_for(copy))
    events = []
    with pytest.raises(CorruptWeights, match=rf"no picture.*damaged.*{DTYPE}.*Download the model again"):
        events += engine.generate("m", ask(num_inference_steps=3))
    assert not any(isinstance(event, Preview) for event in events)


@pytest.mark.parametrize("ending", ["bin", "pt", "ckpt", "BIN", "pkl"])
@pytest.mark.parametrize("file", [UNET, WORDS])
def test_a_part_that_is_only_a_pickle_is_refused_and_never_opened(
    copy: Path, tmp_path: Path, file: str, ending: str
) -> None:
    ran = tmp_path / "ran"
    (copy / file).unlink()
    pickled = (copy / file).with_suffix(f".{ending}")
    pickled.write_bytes(f"cbuiltins\nopen\n(S{str(ran)!r}\nS'w'\ntR.".encode())
    told(copy, CorruptWeights, "is a pickle file, which can run any code")
    assert not ran.exists()


def test_a_pickle_beside_whole_weights_is_left_alone(copy: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    pickled = f"cbuiltins\nopen\n(S{str(ran)!r}\nS'w'\ntR.".encode()
    (copy / "unet" / "diffusion_pytorch_model.bin").write_bytes(pickled)
    try_it(copy, tmp_path / "data")
    assert not ran.exists()


@pytest.mark.parametrize("there", [True, False])
def test_a_ckpt_file_is_refused(tmp_path: Path, there: bool) -> None:
    if there:
        (tmp_path / "model.ckpt").write_bytes(b"\x80\x04.")
    told(tmp_path / "model.ckpt", CorruptWeights, "model.ckpt is a pickle file")


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()


def _write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (_remove("model_index.json"), BackendError, "not a diffusers folder: it has no model_index.json"),
        (_write("model_index.json", "{"), CorruptWeights, "model_index.json of model can't be read"),
        (_write("model_index.json", "[]"), CorruptWeights, "model_index.json of model can't be read"),
        (_write("model_index.json", '{"unet": ["diffusers"]}'), CorruptWeights, "can't be read"),
        (_remove("unet"), CorruptWeights, "model lacks its part unet"),
        (_remove("scheduler"), CorruptWeights, "model lacks its part scheduler"),
        (_remove(UNET), CorruptWeights, "no weights for its unet"),
        (_remove(WORDS), CorruptWeights, "no weights for its text_encoder"),
        (_remove("scheduler/scheduler_config.json"), BackendError, "no file named scheduler_config.json .* scheduler"),
        (_remove("unet/config.json"), CorruptWeights, "no config.json for its unet"),
        (_write("unet/config.json", "{"), CorruptWeights, "config.json of model's unet can't be read"),
        (_write("scheduler/scheduler_config.json", "["), CorruptWeights, "scheduler_config.json of model's scheduler"),
    ],
)
def test_a_folder_that_is_not_whole_is_told(
    copy: Path, change: Callable[[Path], object], kind: type[BackendError], words: str
) -> None:
    change(copy)
    told(copy, kind, words)


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    told(tmp_path / "nothing-here", UnknownModel, "no folder nothing-here")


OWN = "from diffusers import StableDiffusionPipeline, UNet2DConditionModel\n"
PIPELINE, PART = "class Own(StableDiffusionPipeline): pass\n", "class Own(UNet2DConditionModel): pass\n"


@pytest.mark.parametrize(
    ("file", "code", "index"),
    [
        ("own.py", PIPELINE, {"_class_name": ["own", "Own"]}),
        ("unet/own.py", PART, {"unet": ["own", "Own"]}),
        ("own.py", PART, {"unet": ["model.own", "Own"]}),
        ("own.py", "", {"scheduler": ["subprocess", "Popen"]}),
        ("own.py", "", {"../unet": ["diffusers", "UNet2DConditionModel"]}),
    ],
)
def test_a_folder_that_brings_code_of_its_own_is_refused_and_none_of_it_runs(
    copy: Path, tmp_path: Path, file: str, code: str, index: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)  # so that even a plain import would find it
    ran = tmp_path / "ran"
    (copy / file).write_text(f"open({str(ran)!r}, 'w')\n{OWN}{code}")
    edit_json(copy / "model_index.json", **index)
    told(copy, BackendError, "model brings code of its own, which is never run here")
    assert not ran.exists()


def test_code_that_nothing_asks_for_is_not_run(copy: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    for name in ("pipeline.py", "unet/modeling.py"):
        (copy / name).write_text(f"open({str(ran)!r}, 'w')\n{OWN}{PIPELINE}")
    try_it(copy, tmp_path / "data")
    assert not ran.exists()


@pytest.fixture
def engine(whole: Path, tmp_path: Path) -> Engine:
    return engine_for(tmp_path, m=variant_for(whole))


def _unet_of(engine: Engine) -> Any:
    with engine.pool.lease(engine.find("m").variants[0], engine.settings, Emitter(lambda _: None)) as lease:
        return lease.model._parts.unet  # type: ignore[attr-defined]


def test_memory_that_runs_out_is_told_with_what_to_lower_and_the_model_draws_on(engine: Engine) -> None:
    before, held = picture(engine, "m"), []

    def ask_for_too_much(*_: object) -> None:
        import torch

        mine = torch.zeros(1000)
        held.append(weakref.ref(mine))
        torch.empty(1 << 60, dtype=torch.uint8)  # as a picture far too large asks of the allocator

    handle = _unet_of(engine).register_forward_pre_hook(ask_for_too_much)
    with pytest.raises(OutOfMemory, match="Lower the width, the height or the number of pictures") as caught:
        draw(engine, "m")
    handle.remove()
    gc.collect()
    assert len(held) == 1 and held[0]() is None, f"what the run held is not given back: {caught.value}"
    assert not any(resident.leases for resident in engine.pool.residents())
    assert picture(engine, "m") == before


def test_another_failure_of_torch_is_not_taken_for_memory(engine: Engine) -> None:
    def break_it(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    handle = _unet_of(engine).register_forward_pre_hook(break_it)
    with pytest.raises(BackendError, match="not foreseen") as caught:
        draw(engine, "m")
    handle.remove()
    assert not isinstance(caught.value, OutOfMemory)
    assert picture(engine, "m")


def _claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be large, as a bomb does."""
    import struct
    import zlib

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("where", ["image", "mask_image"])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_claiming(60_000, 60_000), "more than 40 million"),
        (b"not a picture", "no PNG, JPEG, WebP or GIF"),
        (b"", "no PNG, JPEG, WebP or GIF"),
        (encoded()[:-60], "can't be read as a picture"),
        (b"\x89PNG" + b"\0" * 21_000_000, "larger than 20 MB"),
    ],
    ids=["bomb", "text", "empty", "cut", "large"],
)
def test_a_picture_that_is_none_or_a_bomb_is_told(engine: Engine, data: bytes, words: str, where: str) -> None:
    good = ImagePart(encoded(), "image/png")
    with pytest.raises(InvalidRequest, match=words):
        draw(engine, "m", **{"image": good, where: ImagePart(data, "image/png")})


def test_a_hub_that_does_not_answer_is_told_soon(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(HubUnavailable, match="can't be reached, and owner/no-such-pipeline is not on this machine"):
        try_it("owner/no-such-pipeline", tmp_path, base_urls={hub.ENDPOINT: "http://127.0.0.1:9"}, hub_timeout=1.5)
    assert time.monotonic() - began < 30  # the start of a Python process on a busy machine
    with pytest.raises(HubUnavailable, match="offline"):
        try_it("owner/no-such-pipeline", tmp_path, offline=True)
