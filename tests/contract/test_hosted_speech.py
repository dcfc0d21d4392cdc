"""Every hosted engine that speaks keeps the contract: the real SDKs against a server that plays the provider."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from shared.audio.pcm import to_samples
from shared.backends import get_backend
from shared.errors import InvalidRequest, NoBackendAvailable, ProviderError, UnknownModel
from shared.events import AudioChunk
from shared.requests import Consent, Reference
from shared.streaming import CancelToken
from tests.support import contract
from tests.support.fake_server import Act
from tests.support.hosted import KEY, Hosted
from tests.support.hosted_speech import speaking
from tests.support.protocols_speech import (
    PCM,
    RATE,
    SPEECH_DIALECTS,
    TEXT,
    ElevenLabs,
    GeminiSpeech,
    HubSpeech,
    SpeechBytes,
    SpeechEvents,
    SpeechFiles,
    b64,
    cut_up,
    wav,
)
from tests.support.sounds import chunks_of, final_of, speech, streams_what_it_ends_with


@pytest.fixture(params=SPEECH_DIALECTS, ids=lambda dialect: dialect.model)
def case(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    with speaking(request.param) as made:
        yield made


def test_a_run_ends_in_the_providers_own_sound(case: Hosted) -> None:
    events = case.events()
    output = streams_what_it_ends_with(events)
    heard, sent = to_samples(output.pcm), to_samples(PCM)
    assert output.sample_rate == RATE and abs(len(heard) - len(sent)) < 0.05 * RATE
    both = min(len(heard), len(sent))
    middle = slice(both // 4, both // 2)
    lag = int(np.argmax(np.correlate(sent, heard[middle], "valid"))) - middle.start
    assert np.allclose(heard[middle], sent[middle.start + lag : middle.stop + lag], atol=1e-3)
    receipt = final_of(events).receipt
    assert receipt.backend == case.dialect.backend and receipt.mode == "hosted" and receipt.versions
    assert receipt.memory_gb is None and receipt.audio_seconds == pytest.approx(output.seconds, abs=0.01)
    assert [word.text for word in output.words] == TEXT.split()


def test_it_is_heard_before_all_of_it_is_there(case: Hosted) -> None:
    if not case.dialect.streams:  # type: ignore[attr-defined]
        pytest.skip("this provider sends whole files")
    case.fake.act = case.dialect.opening()  # type: ignore[assignment]
    token = CancelToken()
    events = []
    for event in case.engine.generate(case.model, case.request, settings=case.settings, cancel=token):
        events.append(event)
        if isinstance(event, AudioChunk):
            token.cancel()
    final = final_of(events)
    assert final.output.pcm and final.output.finish_reason == "stopped"
    assert case.fake.closed.wait(2)


def test_events_pickle(case: Hosted) -> None:
    contract.events_pickle(case)


def test_close_may_be_called_twice(case: Hosted) -> None:
    contract.closes_twice(case)


def test_a_missing_key_is_named_and_nothing_is_sent(case: Hosted) -> None:
    bare = replace(case.engine.settings, server_keys={})
    contract.check_names_what_is_missing(case, bare, case.dialect.env_var)
    with pytest.raises(NoBackendAvailable, match=case.dialect.env_var):
        list(case.engine.generate(case.model, speech(), settings=bare))
    assert not case.fake.asked


@pytest.mark.parametrize("backend", sorted({d.backend for d in SPEECH_DIALECTS}))
def test_importing_the_engine_loads_nothing_heavy(backend: str) -> None:
    contract.import_is_light(backend)


def test_the_text_and_the_key_go_to_the_providers_path(case: Hosted) -> None:
    case.events(speech("MARK. The text."))
    (asked,) = case.fake.asked
    assert asked.path == case.dialect.path
    assert case.dialect.text_in(asked) == "MARK. The text."  # type: ignore[attr-defined]
    assert case.dialect.key_in(asked) == KEY


def test_the_key_stands_in_no_receipt_and_no_log(case: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        final = final_of(case.events())
    assert KEY not in final.receipt.to_json() and KEY not in caplog.text


def test_nothing_of_the_environment_is_sent(case: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GOOGLE_API_KEY", "HF_TOKEN", "ELEVENLABS_API_KEY", "OPENAI_ORG_ID"):
        monkeypatch.setenv(name, "hf_FROM-THE-ENVIRONMENT")
    for name in ("OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "HF_INFERENCE_ENDPOINT", "HF_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/never")
    case.events()
    assert case.fake.asked
    assert all("FROM-THE-ENVIRONMENT" not in str(asked.headers) for asked in case.fake.asked)


def test_long_texts_go_in_parts_that_fit_and_are_joined(case: Hosted) -> None:
    profile = get_backend(case.dialect.backend).profile(case.engine.find(case.model, task=speech().TASK).variants[0])  # type: ignore[attr-defined]
    text = " ".join(f"Sentence number {n} is said here." for n in range(3 * profile.most // 30))
    final = final_of(case.events(speech(text)))
    sent = [case.dialect.text_in(asked) for asked in case.fake.asked]  # type: ignore[attr-defined]
    assert len(sent) >= 3 and all(len(part) <= profile.most for part in sent)
    assert " ".join(sent) == text
    assert final.output.seconds > len(sent) * len(PCM) / 2 / RATE - 0.2
    assert np.abs(np.diff(to_samples(final.output.pcm))).max() < 0.05, "a click"


def test_each_speaker_of_a_script_has_a_voice(case: Hosted) -> None:
    names = [v.id for v in get_backend(case.dialect.backend).capabilities(_variant(case)).voices[:2]] or ["one", "two"]
    script = speech("Ann: Hello.\nBen: Well.", speakers=(("Ann", names[0]), ("Ben", names[1])))
    output = final_of(case.events(script)).output
    assert [case.dialect.text_in(asked) for asked in case.fake.asked] == ["Hello.", "Well."]  # type: ignore[attr-defined]
    for name, asked in zip(names, case.fake.asked, strict=True):
        assert name in asked.raw.decode() + asked.path
    assert {word.speaker for word in output.words} == {"Ann", "Ben"}


def _variant(case: Hosted):  # type: ignore[no-untyped-def]
    return case.engine.find(case.model, task=speech().TASK).variants[0]


def leaves(body: object) -> list[object]:
    """Every value in a request, however deep."""
    inner = body.values() if isinstance(body, dict) else body if isinstance(body, list) else None
    return [body] if inner is None else [leaf for each in inner for leaf in leaves(each)]


SETTINGS = {"voice": "MARK-VOICE", "speed": 1.15, "language": "de", "instructions": "MARK-STYLE", "seed": 4711}
SETTINGS |= {"temperature": 0.65, "guidance_scale": 3.25}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_either_sent_and_honoured_or_named_with_a_reason(case: Hosted, name: str) -> None:
    value = SETTINGS[name]
    known = name in get_backend(case.dialect.backend).capabilities(_variant(case)).parameters
    receipt = final_of(case.events(speech(TEXT, **{name: value}))).receipt
    sent = any(value in leaves(asked.body) or str(value) in asked.path for asked in case.fake.asked)
    kept = receipt.seed == value if name == "seed" else receipt.settings.get(name) == value
    assert kept == known == sent, receipt
    assert (name in receipt.unhonoured) != kept
    assert kept or len(receipt.unhonoured[name]) > 10


@pytest.mark.parametrize(
    ("dialect", "cost"),
    [
        (SpeechEvents(), (14 * 0.6 + 101 * 12) / 1e6),
        (SpeechBytes(), len(TEXT) * 15 / 1e6),
        (SpeechFiles(), len(TEXT) * 22 / 1e6),
        (GeminiSpeech(), None),
        (ElevenLabs(), 0.0),
        (HubSpeech(), 0.0),
    ],
    ids=lambda value: getattr(value, "model", ""),
)
def test_a_price_is_told_where_one_is_known(dialect: object, cost: float | None) -> None:
    with speaking(dialect) as case:  # type: ignore[arg-type]
        receipt = final_of(case.events()).receipt
    if cost == 0.0:
        assert receipt.cost_usd is None and "unpriced" in receipt.cost_note
    elif cost is None:  # Google's prices change with the date
        assert receipt.cost_usd and receipt.output_tokens == 101
    else:
        assert receipt.cost_usd == pytest.approx(cost)


@pytest.mark.parametrize("relative", [False, True])
def test_elevenlabs_gives_the_times_of_words(relative: bool) -> None:
    dialect = ElevenLabs()
    act = Act(chunks=dialect.lines(PCM, relative=relative), headers={"Content-Type": "application/json"})
    with speaking(dialect, act) as case:
        words = final_of(case.events()).output.words
    assert [w.text for w in words] == TEXT.split() and all(w.exact for w in words)
    each = len(PCM) / 2 / RATE / len(TEXT)
    assert words[1].start == pytest.approx(TEXT.index("is") * each, abs=0.06)
    assert words[-1].end == pytest.approx(len(PCM) / 2 / RATE, abs=0.06)


@pytest.mark.parametrize("stopped", [False, True])
def test_elevenlabs_imitates_a_voice_for_one_run_and_deletes_it(stopped: bool) -> None:
    dialect, token = ElevenLabs(), CancelToken()
    reference = Reference(PCM, RATE, "Hello.", Consent("spoken", checked=True))
    with speaking(dialect, dialect.opening() if stopped else None) as case:
        case.fake.script = [Act(body={"voice_id": "v/1"}), case.fake.act, Act()]
        events = []
        for event in case.engine.generate(
            case.model, speech(TEXT, reference=reference), settings=case.settings, cancel=token
        ):
            events.append(event)
            if stopped and case.fake.streaming.is_set():
                token.cancel()
        asked = [(each.method, each.path.partition("?")[0]) for each in case.fake.asked]
        assert wav(PCM, RATE)[-2000:] in case.fake.asked[0].raw
    said = ("POST", "/v1/text-to-speech/v%2F1/stream/with-timestamps")
    assert asked == [("POST", "/v1/voices/add"), said, ("DELETE", "/v1/voices/v%2F1")]
    receipt = final_of(events).receipt
    assert receipt.extra["imitates_a_voice"] and receipt.finish_reason == ("stopped" if stopped else "stop")


def test_a_voice_that_elevenlabs_could_not_delete_or_make_is_told() -> None:
    reference = Reference(PCM, RATE, "Hello.", Consent("spoken", checked=True))
    with speaking(ElevenLabs()) as case:
        case.fake.script = [Act(body={"voice_id": "v"}), case.fake.act, Act(status=500)]
        receipt = final_of(case.events(speech(TEXT, reference=reference))).receipt
        assert "delete “Playground, one run” among your voices" in " ".join(receipt.notes)
        case.fake.reset(Act(body={}))
        with pytest.raises(ProviderError, match="made no voice"):
            case.events(speech(TEXT, reference=reference))


def test_times_that_make_no_sense_are_left_out() -> None:
    broken = [None, 7, {"characters": ["a"]}, {"characters": ["a", "b"], "character_start_times_seconds": ["x", -1.0]}]
    broken += [{"characters": ["a"], "character_start_times_seconds": [5], "character_end_times_seconds": [1]}]
    lines = tuple(f'{{"audio_base64": "{b64(PCM)}", "alignment": {a!r}}}\n'.replace("None", "null") for a in broken)
    lines = tuple(line.replace("'", '"') for line in lines)
    with speaking(ElevenLabs(), Act(chunks=lines)) as case:
        assert not any(word.exact for word in final_of(case.events()).output.words)


def test_older_gemini_models_are_told_how_to_speak_in_the_text() -> None:
    with speaking(GeminiSpeech(model="google:gemini-2.5-flash-preview-tts")) as case:
        case.events(speech(TEXT, instructions="Say cheerfully:"))
        body = case.fake.asked[0].body
    assert body["contents"][0]["parts"][0]["text"] == f"Say cheerfully: {TEXT}"
    assert body["generationConfig"]["speechConfig"]["voice_config"] == {"prebuilt_voice_config": {"voice_name": "Kore"}}


@pytest.mark.parametrize("kind", ["bytes", "address", "base64", "list"])
def test_hugging_faces_providers_give_sound_in_any_form(kind: str) -> None:
    from base64 import urlsafe_b64encode

    with speaking(HubSpeech()) as case:
        address = f"{case.fake.url}/files/{urlsafe_b64encode(wav()).decode()}"
        case.fake.act = {
            "bytes": Act(body=wav(), headers={"Content-Type": "audio/wav"}),
            "address": Act(body={"audio": {"url": address}}),
            "base64": Act(body={"audio": b64(wav())}),
            "list": Act(body={"output": [address], "status": "succeeded"}),
        }[kind]
        assert final_of(case.events()).output.seconds == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("provider", ["hf-inference", "together", "deepinfra", "replicate"])
def test_hugging_faces_providers_are_asked_each_in_its_form(provider: str) -> None:
    with speaking(HubSpeech(provider=provider)) as case:
        case.fake.act = Act(body=wav(), headers={"Content-Type": "audio/wav"})
        final = final_of(case.events(speech(TEXT, voice="af_heart")))
        asked = case.fake.asked[0]
    assert asked.path.startswith(f"/{provider}/") and TEXT in leaves(asked.body) and "af_heart" in leaves(asked.body)
    assert final.receipt.extra["inference_provider"] == provider


def test_a_model_that_nobody_serves_is_told() -> None:
    with speaking(HubSpeech()) as case:
        case.fake.routes["/api/models/"] = lambda asked: Act(body={"inferenceProviderMapping": {}})
        with pytest.raises(UnknownModel, match="providers runs"):
            case.events()


def test_files_of_other_kinds_and_rates_are_read(tmp_path: object) -> None:
    import io

    import soundfile

    out = io.BytesIO()
    soundfile.write(out, to_samples(PCM)[::2], RATE // 2, format="MP3")
    stereo = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 2, RATE, RATE * 4, 4, 16)
    stereo += b"LIST\x04\0\0\0INFOdata\xff\xff\xff\xff" + np.repeat(np.frombuffer(PCM, "<i2"), 2).tobytes()
    for sound, rate in ((out.getvalue(), RATE // 2), (stereo, RATE), (wav(PCM, 48_000), 48_000)):
        act = Act(chunks=cut_up(sound, 20), headers={"Content-Type": "audio/x"})
        with speaking(SpeechFiles(), act) as case:
            output = streams_what_it_ends_with(case.events())
        assert output.sample_rate == rate


def test_a_server_by_its_address_is_asked_without_a_voice_where_none_is_known() -> None:
    with speaking(SpeechFiles()) as case:
        model = f"kokoro@{case.fake.url}/v1"
        settings = replace(case.settings, session_keys={})  # type: ignore[type-var]
        final = final_of(list(case.engine.generate(model, speech(TEXT, speed=1.5), settings=settings)))
        (asked,) = case.fake.asked
    assert "voice" not in asked.body and asked.body["speed"] == 1.5 and asked.body["model"] == "kokoro"
    assert "authorization" not in asked.headers or KEY not in asked.headers["authorization"]
    assert final.output.pcm


def test_a_provider_that_does_not_speak_says_so(case: Hosted) -> None:
    with pytest.raises(NoBackendAvailable, match="doesn't speak"):
        list(case.engine.generate("deepseek:deepseek-chat", speech(), settings=case.settings))


def test_a_speed_that_elevenlabs_has_not_is_told() -> None:
    with speaking(ElevenLabs()) as case, pytest.raises(InvalidRequest, match=r"0\.7 to 1\.2"):
        case.events(speech(TEXT, speed=2.0))


def test_chunks_are_told_at_once(case: Hosted) -> None:
    if case.dialect.streams:  # type: ignore[attr-defined]
        assert len(chunks_of(case.events())) >= 3
