"""Measures two sets of pictures by whatever was asked; each figure says what it was taken from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from shared.errors import InferenceError, InvalidRequest
from shared.events import Progress
from shared.image.likeness import psnr, ssim
from shared.image.measuring import clip, distances, inception, perceptual
from shared.memory import give_back
from shared.requests import ImagePart
from shared.settings import Settings
from shared.streaming import Emit

MOST = 500  # pictures of a set
INCEPTION, CLIP = "inception", "clip"  # whose features FID and KID are computed from


@dataclass(frozen=True)
class Asked:
    """What is measured: pictures, others to compare them with, and their words. `lpips`, `clip`: Hub ids or folders."""

    first: Sequence[ImagePart]
    second: Sequence[ImagePart] = ()
    prompt: str = ""
    clip: str = clip.USUAL
    lpips: str = perceptual.USUAL
    features: str = CLIP


@dataclass(frozen=True)
class Figure:
    """A figure as a person reads it; `error`: why there is none. `about`: what it was taken from, and what it means."""

    name: str
    value: str = ""
    about: str = ""
    error: str = ""


def measure(wanted: Sequence[str], asked: Asked, settings: Settings, emit: Emit) -> list[Figure]:
    """The figures wanted (names of `MEASURES`), in order. What can't be had says why; the others still come.

    Raises `InvalidRequest` for no pictures, and for too many.
    """
    counts = len(asked.first), len(asked.second)
    if not counts[0]:
        raise InvalidRequest("Put in the pictures to be measured.")
    if max(counts) > MOST:
        raise InvalidRequest(f"{max(counts)} pictures are too many; {MOST} of each set are the most.")
    found: list[Figure] = []
    for name in wanted:
        emit(Progress(f"Measuring: {LABELS[name]}"))
        try:
            found += MEASURES[name](asked, settings, emit)
        except InferenceError as error:
            found.append(Figure(LABELS[name], error=str(error)))
        give_back()
    return found


def _pairs(asked: Asked) -> list[tuple[ImagePart, ImagePart]]:
    """Each picture with the one at its place in the other set; with only one there, each with that."""
    first, second = asked.first, asked.second
    if len(second) == 1:
        second = [second[0]] * len(first)
    if not second or len(first) != len(second):
        raise InvalidRequest("Likeness is of pairs: put in as many pictures to compare with, or just one.")
    return list(zip(first, second, strict=True))


def _likeness(asked: Asked, settings: Settings, emit: Emit) -> list[Figure]:
    return [
        _mean("PSNR", "dB, higher is more alike", psnr, _pairs(asked), emit),
        _mean("SSIM", "1 is the same (Wang et al. 2004)", ssim, _pairs(asked), emit),
    ]


def _lpips(asked: Asked, settings: Settings, emit: Emit) -> list[Figure]:
    pairs = _pairs(asked)
    look = perceptual.load(asked.lpips, settings, emit)
    return [_mean("LPIPS", "0 is the same (Zhang et al. 2018, VGG16)", look, pairs, emit)]


def _mean(
    name: str,
    about: str,
    of: Callable[[ImagePart, ImagePart], float | None],
    pairs: Sequence[tuple[ImagePart, ImagePart]],
    emit: Emit,
) -> Figure:
    values = []
    for one, other in pairs:
        emit.check()
        value = of(one, other)
        if value is None:
            return Figure(name, error="The pictures have different sizes, or are too small to be compared so.")
        values.append(value)
    mean = sum(values) / len(values)
    shown = "the same" if math.isinf(mean) else f"{mean:.3f}" if name != "PSNR" else f"{mean:.1f} dB"
    return Figure(name, shown, f"Mean of {len(values)} pairs; {about}.")


def _clip_score(asked: Asked, settings: Settings, emit: Emit) -> list[Figure]:
    if not asked.prompt.strip():
        raise InvalidRequest("A CLIP score is of pictures and words: write what they should show.")
    model = clip.load(asked.clip, settings, emit)
    words = model.words(asked.prompt)
    about = f"0 to 100, higher fits the words better; mean of {{}} pictures by {model.called} (Hessel et al. 2021)."
    sets = {"CLIP score": asked.first, "CLIP score of the others": asked.second}
    found = []
    for name, parts in sets.items():
        if parts:
            scores = clip.score(model.pictures(parts, emit), words)
            each = f" ({', '.join(f'{value:.1f}' for value in scores[:12])})" if 1 < len(scores) <= 12 else ""
            found.append(Figure(name, f"{sum(scores) / len(scores):.1f}{each}", about.format(len(scores))))
    return found


def _distances(asked: Asked, settings: Settings, emit: Emit) -> list[Figure]:
    if min(len(asked.first), len(asked.second)) < distances.FEWEST:
        raise InvalidRequest(
            f"FID and KID compare two sets of {distances.FEWEST} pictures or more; "
            f"there are {len(asked.first)} and {len(asked.second)}. Thousands of each make them steady."
        )
    if asked.features == INCEPTION:
        extract, source = partial(inception.features, settings=settings, emit=emit), "Inception v3"
    else:
        model = clip.load(asked.clip, settings, emit)
        extract, source = partial(model.pictures, emit=emit), f"{model.called}, not comparable with published figures"
    found = distances.distances(extract(asked.first), extract(asked.second))
    about = f"{found.counts[0]} and {found.counts[1]} pictures; features of {source}."
    half = f"{found.fid:.3f} (of half of the pictures: {found.fid_of_half:.3f})"
    kid = f"{found.kid:.5f} ± {found.kid_spread:.5f}"
    return [Figure("FID", half, f"{about} {distances.CAVEAT}"), Figure("KID", kid, about)]


LABELS: Mapping[str, str] = {
    "likeness": "PSNR and SSIM",
    "lpips": "LPIPS",
    "clip": "CLIP score",
    "distances": "FID and KID",
}
MEASURES: Mapping[str, Callable[[Asked, Settings, Emit], list[Figure]]] = {
    "likeness": _likeness,
    "lpips": _lpips,
    "clip": _clip_score,
    "distances": _distances,
}
