"""Every hosted engine of music and sounds keeps the contract: real calls against a server that plays the provider."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared.errors import InferenceError, InvalidRequest, NoBackendAvailable, ProviderError, RateLimited
from shared.requests import AudioRequest, MusicRequest, SoundRequest
from tests.support.hosted import KEY, Hosted, once
from tests.support.hosted_images import final_of, playing
from tests.support.protocols_music import ELEVEN_MUSIC, MUSIC_DIALECTS, RATE, ElevenSounds, Lyria

PROMPT = "rain on a tin roof"


def asking(dialect: Any, **more: Any) -> AudioRequest:
    kind = SoundRequest if dialect == ElevenSounds() else MusicRequest
    return kind(prompt=PROMPT, **more)


@pytest.fixture(params=MUSIC_DIALECTS, ids=lambda dialect: dialect.model)
def case(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    with playing(request.param, asking(request.param)) as made:
        yield made


def test_a_run_ends_in_the_providers_sound_with_both_its_channels(case: Hosted) -> None:
    final = final_of(case.events())
    output, receipt = final.output, final.receipt
    assert (output.sample_rate, output.channels) == (RATE, 2) and output.seconds == pytest.approx(1.0, abs=0.1)
    sides = np.frombuffer(output.pcm, "<i2").reshape(-1, 2)[RATE // 4 : RATE // 4 * 3].astype(float)
    for side, hertz in zip(sides.T, (220, 330), strict=True):
        spectrum = np.abs(np.fft.rfft(side * np.hanning(len(side))))
        assert spectrum.argmax() * RATE / len(side) == pytest.approx(hertz, abs=3)
    assert (receipt.backend, receipt.mode) == (case.dialect.backend, "hosted")
    (asked,) = case.fake.asked
    assert asked.path == case.dialect.path and case.dialect.text_in(asked) == PROMPT
    assert case.dialect.key_in(asked) == KEY


@pytest.mark.parametrize(("dialect", "name", "value"), [
    (ElevenSounds(), "duration_seconds", 2.5), (ELEVEN_MUSIC, "music_length_ms", 20_000),
])  # fmt: skip
def test_the_seconds_are_told_in_the_providers_own_measure(dialect: Any, name: str, value: float) -> None:
    seconds = value if value < 100 else value / 1000
    with playing(dialect, asking(dialect, duration=seconds)) as case:
        case.events()
        assert case.fake.asked[0].body[name] == value
    with playing(dialect, asking(dialect, duration=500)) as case, pytest.raises(InvalidRequest, match="seconds"):
        case.events()


def test_what_is_no_sound_is_told(case: Hosted) -> None:
    case.fake.act = case.dialect.nothing()  # type: ignore[attr-defined]
    with pytest.raises(ProviderError, match="no sound"):
        once(case).events()


@pytest.mark.parametrize(("status", "kind"), [(401, InferenceError), (429, RateLimited), (500, ProviderError)])
def test_refusals_are_told_and_the_key_is_not(
    case: Hosted, status: int, kind: type[InferenceError], caplog: pytest.LogCaptureFixture
) -> None:
    case.fake.act = case.dialect.error(status, f"no: {KEY}")
    with caplog.at_level(logging.DEBUG), pytest.raises(kind) as told:
        once(case).events()
    assert KEY not in str(told.value) and KEY not in caplog.text


def test_without_a_key_the_variable_is_named() -> None:
    for dialect in MUSIC_DIALECTS:
        with playing(dialect, asking(dialect), server_keys={}) as case:
            with pytest.raises(NoBackendAvailable, match=dialect.env_var):
                case.events()
            assert not case.fake.asked


def test_a_setting_that_the_provider_lacks_is_told() -> None:
    with playing(Lyria(), asking(Lyria(), seed=3, duration=20)) as case:
        receipt = final_of(case.events()).receipt
    assert "prompt" in receipt.unhonoured["duration"] and "seed" in receipt.unhonoured


@pytest.mark.parametrize("dialect", [ElevenSounds(), ELEVEN_MUSIC], ids=lambda dialect: dialect.model)
def test_a_connection_that_breaks_is_told(dialect: Any) -> None:
    cut = replace(dialect.answer(), after="cut")
    with playing(dialect, asking(dialect), cut) as case, pytest.raises(ProviderError):
        once(case).events()
