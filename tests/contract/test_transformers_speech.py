"""Models that speak by transformers keep the contract: tiny random ones of every family, saved as one finds them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.audio.speaking import INSIDE
from shared.backends.speech.families import FAMILIES, TAKES
from shared.backends.speech.loading import SPEAKERS
from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.errors import BackendError, CorruptWeights, InvalidRequest, UnknownModel
from shared.events import Progress
from shared.machine import probe
from shared.requests import Consent, Reference
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Task
from tests.support import contract, tiny_models, tiny_speech
from tests.support.contract import Case
from tests.support.sounds import chunks_of, final_of, speech

Make = Callable[..., Case]
pytestmark = pytest.mark.filterwarnings(  # diffusers' schedulers, which VibeVoice asks
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A case for a family; each is made once."""
    root, made = tmp_path_factory.mktemp("models"), {}
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    engines = Engine(Catalog([]), settings)

    def case(family: str) -> Case:
        if family not in made:
            made[family] = str(tiny_speech.FAMILIES[family](root / family))
        return Case(engines, made[family], speech("hello there."))

    return case


def test_every_family_is_tested() -> None:
    assert set(tiny_speech.FAMILIES) == set(FAMILIES) == set(TAKES)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_run_ends_in_sound_that_a_seed_repeats(make: Make, family: str) -> None:
    case = make(family)
    first, again, other = (case.events(speech("hello there.", seed=seed)) for seed in (3, 3, 4))
    final = final_of(first)
    assert final.output.seconds > 0.01 and final.output.sample_rate == 8000
    assert b"".join(chunk.pcm for chunk in chunks_of(first)) == final.output.pcm
    assert final.output == final_of(again).output and final.output.pcm != final_of(other).output.pcm
    receipt = final.receipt
    assert receipt.backend == "transformers_speech" and receipt.versions["transformers"]
    assert receipt.seed == 3 and receipt.realtime_factor and receipt.device == probe().accelerator


@pytest.mark.parametrize("family", FAMILIES)
def test_settings_that_the_family_has_not_are_named(make: Make, family: str) -> None:
    given: dict[str, Any] = {"speed": 1.5, "temperature": 0.7, "guidance_scale": 2.0}
    receipt = final_of(make(family).events(speech("hello.", instructions="x", **given))).receipt
    assert set(receipt.unhonoured) == {"instructions", *(name for name in given if name not in TAKES[family])}
    assert all(len(reason) > 10 for reason in receipt.unhonoured.values())


def test_what_it_keeps_of_the_contract(make: Make) -> None:
    case = make("vits")
    contract.events_pickle(case)
    contract.closes_twice(case)
    contract.import_is_light("transformers_speech")


def test_a_long_text_is_spoken_in_parts(make: Make) -> None:
    events = make("vits").events(speech("Hello there. " * 20, seed=1))
    assert len(chunks_of(events)) >= 20
    assert next(e.total for e in events if isinstance(e, Progress) and e.total) == 20


def test_speed_is_heard(make: Make) -> None:
    slow, fast = (final_of(make("vits").events(speech("hello there " * 8, seed=1, speed=s))).output for s in (0.5, 2.0))
    assert slow.seconds > 1.5 * fast.seconds


def test_voices_by_number_by_name_and_by_preset(make: Make, tmp_path: Path) -> None:
    engine = make("vits").engine
    two = str(tiny_speech.vits(tmp_path / "two", speakers=2))
    sounds = [final_of(list(engine.generate(two, speech("hello", seed=1, voice=v)))).output.pcm for v in ("0", "1")]
    assert sounds[0] != sounds[1]
    for model, voice, words in (
        (two, "2", "from 0 to 1"),
        (two, "-1", "from 0 to 1"),
        (make("vits").model, "1", "one voice alone"),
        (make("bark").model, "../../etc/passwd", "no voice called"),
        (make("dia").model, "2", "from 0 to 1"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            list(engine.generate(model, speech("hello", voice=voice)))
    named = [final_of(make("speecht5").events(speech("hello", seed=1, voice=v))).output.pcm for v in ("ann", "ben")]
    assert named[0] != named[1]
    assert final_of(make("bark").events(speech("hello", seed=1, voice="ada"))).output.pcm


def test_speecht5_speaks_with_the_vectors_beside_it(make: Make, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    folder, engine = tiny_speech.speecht5(tmp_path / "voices"), make("vits").engine
    vectors = {
        name: np.random.default_rng(n).normal(size=8).astype(np.float32) for n, name in enumerate(("eva", "max"))
    }
    said = {}
    for round in ("with", "without"):
        if round == "with":
            save_file(vectors, folder / SPEAKERS)
        else:
            (folder / SPEAKERS).unlink()
        engine.pool.unload()
        for voice in ("eva", "max"):
            events = list(engine.generate(str(folder), speech("hello", seed=1, voice=voice)))
            said[round, voice] = final_of(events).output.pcm
    assert len(set(said.values())) == 4, "a vector that is there is used, and else one is drawn from the name"
    save_file({"eva": np.ones(7, np.float32)}, folder / SPEAKERS)
    engine.pool.unload()
    with pytest.raises(CorruptWeights, match=r"'eva' in speakers\.safetensors must be 8 numbers"):
        list(engine.generate(str(folder), speech("hello", voice="eva")))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_voice_is_imitated_by_those_that_can_and_the_receipt_says_so(make: Make, family: str) -> None:
    hum = (np.sin(np.arange(24_000) / 12) * 9000).astype("<i2").tobytes()
    reference = Reference(hum, 16_000, "hello there", Consent("spoken", checked=True))
    given = {"temperature": 0.0} if "temperature" in TAKES[family] else {}  # by what it hears, not by other noise
    asked = speech("good bye.", seed=3, reference=reference, **given)
    if "reference" not in TAKES[family]:
        with pytest.raises(InvalidRequest, match="CSM, Dia, Pocket TTS and VibeVoice can imitate"):
            make(family).events(asked)
        return
    events = make(family).events(asked)
    final = final_of(events)
    assert b"".join(chunk.pcm for chunk in chunks_of(events)) == final.output.pcm
    if family != "vibevoice" or probe().accelerator == "cpu":  # a GPU's noise is the same with a voice to imitate
        assert final.output.pcm != final_of(make(family).events(speech("good bye.", seed=3, **given))).output.pcm
    assert final.receipt.extra["imitates_a_voice"] and final.receipt.extra["consent"] == "spoken"
    assert "reference" not in final.receipt.settings


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_model_had_in_hand_is_told(make: Make, family: str) -> None:
    output = final_of(make(family).events(speech("hello there. good bye.", seed=3))).output
    assert bool(output.inside) == (family not in {"pocket_tts", "vibevoice"}), "their sound is no row of tokens"
    assert all(part.start < part.end for part in output.inside)
    for part in output.inside:
        if family in {"vits", "speecht5"}:
            share = part.alignment.share
            assert part.codes is None and len(part.alignment.signs) == len(share)
            assert part.alignment.exact == (family == "vits")
            assert share.sum() == pytest.approx(share.shape[1], rel=0.05)
        else:
            books = {"bark": 4, "csm": 4, "dia": 9}[family]
            assert part.alignment is None and part.codes.tokens.shape[0] == books and part.codes.tokens.shape[1] > 1
            assert part.codes.tokens.min() >= 0 and part.codes.tokens.max() < part.codes.size


def test_durations_make_the_times_of_words_exact(make: Make) -> None:
    words = final_of(make("vits").events(speech("hello there, you. good bye.", seed=3))).output.words
    assert [word.text for word in words] == ["hello", "there,", "you.", "good", "bye."]
    assert all(word.exact for word in words) and all(word.start <= word.end for word in words)


def test_of_a_long_text_the_first_parts_are_kept(make: Make) -> None:
    assert len(final_of(make("vits").events(speech("Hello there. " * 20, seed=1))).output.inside) == INSIDE


def test_stop_ends_a_run_within_a_layer(make: Make) -> None:
    case, token = make("dia"), CancelToken()
    text = "hello there and good bye " * 11  # hundreds of steps
    threading.Timer(0.6, token.cancel).start()
    started = time.monotonic()
    final = final_of(list(case.engine.generate(case.model, speech(text, seed=1), cancel=token)))
    assert final.output.finish_reason == "stopped" and time.monotonic() - started < 4
    contract.no_lease_is_left(case.engine)
    assert final_of(case.events()).output.finish_reason == "stop", "the model stays usable"


def test_a_model_that_does_not_speak_is_told(make: Make, tmp_path: Path) -> None:
    folder = tiny_models.llama(tmp_path / "llama")
    with pytest.raises(BackendError, match="of the kind llama, and these speak here: bark"):
        list(make("vits").engine.generate(str(folder), speech("hello")))
    with pytest.raises(UnknownModel, match="no folder"):
        list(make("vits").engine.generate(str(tmp_path / "nothing"), speech("hello")))


def test_damaged_and_unsafe_weights_are_refused(make: Make, tmp_path: Path) -> None:
    engine = make("vits").engine
    cut = tiny_speech.vits(tmp_path / "cut")
    weights = cut / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    pickled = tiny_speech.vits(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    for folder, words in ((cut, "cut short|again"), (pickled, "pickle")):
        with pytest.raises(CorruptWeights, match=words):
            list(engine.generate(str(folder), speech("hello")))


def test_numbers_that_are_none_make_no_noise(make: Make, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = tiny_speech.vits(tmp_path / "nan")
    weights = load_file(folder / "model.safetensors")
    weights["decoder.conv_post.weight"] = np.full_like(weights["decoder.conv_post.weight"], np.nan)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BackendError, match="out of bounds"):
        list(make("vits").engine.generate(str(folder), speech("hello")))


def test_a_text_without_a_letter_that_it_knows_is_told(make: Make) -> None:
    with pytest.raises(InvalidRequest, match="nothing to say"):
        make("vits").events(speech("東京"))


def test_what_the_catalogue_says_of_a_family_is_known_before_it_is_loaded() -> None:
    variant = Variant(backend="transformers_speech", repo_id="x/y", options={"family": "vits"})
    spec = ModelSpec(id="m", name="M", task=Task.TEXT_TO_SPEECH, license="MIT", variants=(variant,))
    engine = Engine(Catalog([spec]), Settings())
    (choice,) = engine.choices_for(spec)
    assert choice.reason is None
    from shared.backends import get_backend

    capabilities = get_backend(variant.backend).capabilities(variant)
    assert "speed" in capabilities.parameters and "temperature" not in capabilities.parameters


def test_a_language_that_the_catalogue_names_stands_in_the_receipt(make: Make) -> None:
    options = {"family": "vits", "language": "de"}
    variant = Variant(backend="transformers_speech", repo_id=make("vits").model, memory_gb=0.1, options=options)
    spec = ModelSpec(id="m", name="M", task=Task.TEXT_TO_SPEECH, license="MIT", variants=(variant,))
    (*_, final) = Engine(Catalog([spec]), Settings()).generate("m", speech("hello"))
    assert final_of([final]).receipt.extra["language"] == "de"
