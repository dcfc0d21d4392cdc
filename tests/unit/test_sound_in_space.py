"""A placed sound is heard from where it was placed: by its times, its loudness and its pitch at both ears."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from shared.audio.space.head import RATE, head
from shared.audio.space.listening import SPEED, heard
from shared.audio.space.paths import Course, Place, along, drawn, moves, still
from shared.audio.space.ways import LOUDEST, WAYS, place
from shared.errors import InvalidRequest

SPEECH_RATE = 24000


def tone(hertz: float, seconds: float, rate: int = SPEECH_RATE) -> Any:
    return 0.3 * numpy.sin(2 * numpy.pi * hertz * numpy.arange(round(seconds * rate)) / rate).astype("float32")


def noise(seconds: float = 0.5) -> Any:
    return numpy.random.default_rng(0).normal(0, 0.05, round(seconds * SPEECH_RATE)).astype("float32")


def pitch(samples: Any) -> float:
    """Of a tone, by its zero crossings."""
    rises = numpy.flatnonzero((samples[:-1] < 0) & (samples[1:] >= 0))
    exact = rises + samples[rises] / (samples[rises] - samples[rises + 1])
    return float((len(exact) - 1) / (exact[-1] - exact[0]) * RATE)


def lag(one: Any, other: Any) -> float:
    """By how many seconds `other` comes later."""
    size = 1 << (2 * len(one)).bit_length()
    cross = numpy.fft.irfft(numpy.fft.rfft(other, size) * numpy.fft.rfft(one, size).conj())
    best = int(cross.argmax())
    return (best - size if best > size // 2 else best) / RATE


def level(samples: Any) -> float:
    return float(numpy.sqrt((samples**2).mean()))


def test_from_in_front_both_ears_hear_the_same() -> None:
    made = place(noise(), SPEECH_RATE, still(Place()), "binaural")
    assert made.rate == RATE and made.samples.shape == (round(0.5 * RATE), 2)
    assert numpy.allclose(made.samples[:, 0], made.samples[:, 1], atol=1e-4)


@pytest.mark.parametrize(("azimuth", "near"), [(90, 0), (-90, 1)])
def test_from_the_side_the_near_ear_hears_it_sooner_and_louder(azimuth: float, near: int) -> None:
    ears = place(noise(), SPEECH_RATE, still(Place(azimuth)), "binaural").samples
    close, far = ears[:, near], ears[:, 1 - near]
    # A sphere of a head's size (radius 8.75 cm): a/c (pi/2 + 1), Woodworth's formula.
    assert lag(close, far) == pytest.approx(0.0875 / SPEED * (math.pi / 2 + 1), rel=0.15)
    assert level(close) > 2 * level(far)


def test_a_place_that_stays_is_one_filter_for_the_whole_sound() -> None:
    sound, where = noise(), Place(-50, 20)
    ears = place(sound, SPEECH_RATE, still(where), "binaural").samples
    one = numpy.array([0.0])
    filters = head().filters_at(one + where.azimuth, one + where.elevation)[0]
    delays = head().delays_at(one + where.azimuth, one + where.elevation)[0]
    for ear in range(2):
        late = heard(sound, SPEECH_RATE, numpy.full(len(ears), delays[ear]), RATE)
        assert numpy.allclose(ears[:, ear], numpy.convolve(late, filters[ear])[: len(ears)], atol=1e-4)


def test_what_comes_nearer_sounds_higher_and_what_leaves_lower() -> None:
    for first, last in ((21, 1), (1, 21)):
        course = along([Place(0, 0, first), Place(0, 0, last)])
        sound = place(tone(440, 2), SPEECH_RATE, course, "ambisonics").samples[:, 0]
        middle = sound[RATE // 2 : -RATE // 4]
        # Ten metres a second; each heard moment is by so much sooner or later after the one before.
        assert pitch(middle) == pytest.approx(440 * (1 + (first - last) / 2 / SPEED), rel=0.002)


def test_twice_as_far_is_half_as_loud() -> None:
    near, far = (place(tone(500, 0.5), SPEECH_RATE, still(Place(30, 0, d)), "stereo").samples for d in (1.0, 2.0))
    assert level(near) == pytest.approx(2 * level(far), rel=0.01)


def test_a_rate_that_changes_keeps_the_tone_and_adds_no_other() -> None:
    for rate in (8000, 24000, 48000, 96000):
        sound = heard(tone(1000, 0.5, rate), rate, numpy.zeros(RATE // 2), RATE)[2000:-2000]
        spectrum = numpy.abs(numpy.fft.rfft(sound * numpy.hanning(len(sound)))) ** 2
        around = int(1000 * len(sound) / RATE)
        within = spectrum[around - 8 : around + 9].sum()
        assert 10 * math.log10(within / (spectrum.sum() - within)) > 60, rate
        assert level(sound) == pytest.approx(0.3 / math.sqrt(2), rel=0.01)
    # What 44,100 samples a second can't hold is gone, and doesn't come back as another tone.
    assert level(heard(tone(30000, 0.5, 96000), 96000, numpy.zeros(RATE // 2), RATE)[2000:-2000]) < 0.003


def test_loudspeakers_share_the_power_and_the_side_is_right() -> None:
    for azimuth in range(-180, 181, 30):
        left, right = place(tone(500, 0.3), SPEECH_RATE, still(Place(azimuth)), "stereo").samples.T
        assert math.hypot(level(left), level(right)) == pytest.approx(0.3 / math.sqrt(2), rel=0.02)
        if azimuth % 180:
            assert (level(left) > level(right)) is (azimuth > 0)


def test_ambisonics_holds_the_direction() -> None:
    where = Place(35, 25)
    w, y, z, x = place(noise(), SPEECH_RATE, still(where), "ambisonics").samples.T
    y_part, z_part, x_part = (float((part * w).sum() / (w * w).sum()) for part in (y, z, x))
    assert math.degrees(math.atan2(y_part, x_part)) == pytest.approx(where.azimuth, abs=0.1)
    assert math.degrees(math.asin(z_part)) == pytest.approx(where.elevation, abs=0.1)


@pytest.mark.parametrize("way", WAYS)
def test_what_would_clip_is_made_softer_and_that_is_told(way: str) -> None:
    made = place(3 * tone(500, 0.3), SPEECH_RATE, still(Place(80, 0, 0.25)), way)
    assert made.lowered_db > 3 and float(numpy.abs(made.samples).max()) <= LOUDEST + 1e-4
    assert made.samples.shape[1] == len(WAYS[way].channels)
    assert place(tone(500, 0.1), SPEECH_RATE, still(Place(0, 0, 4)), way).lowered_db == 0


def test_the_way_between_two_places_is_the_shorter_one() -> None:
    azimuth, _, distance = along([Place(170, 0, 1), Place(-170, 0, 3)]).at(numpy.array([0, 0.5, 1]))
    assert azimuth.tolist() == [170, 180, 190] and distance.tolist() == [1, 2, 3]


def test_a_drawn_path_goes_where_it_was_drawn() -> None:
    azimuth, elevation, distance = drawn([(1, 0), (0, 2), (-3, 0), (0, 0)], 10).at(numpy.array([0, 1 / 3, 2 / 3]))
    assert azimuth.tolist() == pytest.approx([-90, 0, 90]) and distance.tolist() == pytest.approx([1, 2, 3])
    assert set(elevation) == {10}


def test_every_move_that_comes_along_can_be_followed() -> None:
    for _, course in moves().values():
        assert course.moves and course.knots[0][0] == 0 and course.knots[-1][0] == 1
        assert isinstance(course, Course) and all(place.checked() for _, place in course.knots)


@pytest.mark.parametrize("where", [Place(0, 91), Place(0, 0, 0), Place(0, 0, 1e9), Place(float("nan"))])
def test_what_is_no_place_is_refused(where: Place) -> None:
    with pytest.raises(InvalidRequest):
        still(where)
    with pytest.raises(InvalidRequest):
        along([])
