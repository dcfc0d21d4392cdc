"""DNSMOS, a guess of how people would score speech: its windows, its scores, and what is told where it is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from shared.audio import quality as dnsmos
from shared.audio.pcm import to_pcm
from shared.audio.quality import MOST, RATE, WINDOW, Quality, quality
from shared.audio.spoken import Spoken
from shared.errors import Cancelled, CorruptWeights, InvalidRequest, MissingDependency
from shared.outputs import AudioOutput
from shared.settings import Settings
from shared.streaming import CancelToken, Emitter
from shared.ui.audio.listening import measured
from tests.support.sounds import speech
from tests.support.tiny_onnx import mean_of

TONE = np.sin(np.arange(3 * RATE) / 20).astype(np.float32) * 0.5


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of that name whose network says the mean of what it hears, three times."""
    file = tmp_path / "speechmos" / dnsmos._FILE
    file.parent.mkdir(parents=True)
    (tmp_path / "speechmos" / "__init__.py").write_text("raise SystemExit('never imported')")
    file.write_bytes(mean_of(WINDOW, 3))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(dnsmos, "_SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    dnsmos._network.cache_clear()
    yield file
    dnsmos._network.cache_clear()


def test_windows_are_a_second_apart_spread_over_a_long_speech_and_filled_by_a_short_one() -> None:
    short, long, longer = ([*dnsmos._windows(np.arange(n * RATE, dtype=np.float32))] for n in (2, 12, 100))
    assert len(short) == 1 and len(long) == 3 and len(longer) == MOST
    assert all(len(window) == WINDOW for window in [*short, *long, *longer])
    assert short[0][2 * RATE] == 0 and long[1][0] == RATE and longer[-1][-1] > 99 * RATE - 1


def test_scores_are_its_makers_polynomials(packaged: Path) -> None:
    found = quality(np.ones(RATE, np.float32), RATE, Settings(), Emitter(lambda event: None))
    assert found.overall == pytest.approx(-0.06766283 + 1.11546468 + 0.04602535, abs=1e-3)
    assert found.facts() == {"dnsmos_overall": 1.09, "dnsmos_signal": 1.14, "dnsmos_background": 1.08}


def test_silence_and_a_damaged_file_are_told_and_a_stop_ends_it(packaged: Path) -> None:
    deaf, stopped = Emitter(lambda event: None), CancelToken()
    with pytest.raises(InvalidRequest, match="nothing to be heard"):
        quality(np.zeros(RATE, np.float32), RATE, Settings(), deaf)
    stopped.cancel()
    with pytest.raises(Cancelled):
        quality(TONE, RATE, Settings(), Emitter(lambda event: None, stopped))
    dnsmos._network.cache_clear()
    packaged.write_bytes(b"cut")
    with pytest.raises(CorruptWeights, match="not the file that was tested"):
        quality(TONE, RATE, Settings(), deaf)


@pytest.mark.skipif(find_spec("speechmos") is not None, reason="it is installed here")
def test_where_it_is_missing_the_command_is_told() -> None:
    with pytest.raises(MissingDependency, match="pip install --no-deps speechmos"):
        quality(TONE, RATE, Settings(), Emitter(lambda event: None))


def test_it_is_shown_and_goes_into_the_receipt(packaged: Path) -> None:
    spoken = Spoken(sound=AudioOutput(pcm=to_pcm(TONE), sample_rate=RATE))
    steps = measured(spoken, speech(), "", True, Settings(), CancelToken())
    told = []
    with pytest.raises(StopIteration) as ended:
        while True:
            told.append(next(steps))
    found, words = ended.value.value
    assert set(found) == set(Quality(1, 2, 3).facts()) and "(of 5): all <b>" in words and told


def test_the_real_one_hears_noise() -> None:
    if find_spec("speechmos") is None:
        pytest.skip("its package is not installed here")
    from hibari import Hibari

    voice, noise = Hibari(), np.random.default_rng(0)
    plain = voice("Rice is often served in round bowls.", seed=1)
    noisy = plain + 0.05 * noise.standard_normal(len(plain)).astype(np.float32)
    deaf = Emitter(lambda event: None)
    good, bad = (quality(each, voice.sample_rate, Settings(), deaf) for each in (plain, noisy))
    assert good.overall > bad.overall + 1 and 1 <= bad.background < 2.5 < good.background
