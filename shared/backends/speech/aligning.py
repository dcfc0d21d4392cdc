"""Which sign of a text sounds when: from the durations that a model sets, or from where it looked while it spoke."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from shared.events import Word
from shared.outputs import Alignment

MOST = 500  # frames of a picture: more are put together


class Durations:
    """What VITS's predictor of durations said last, None before it did."""

    logarithms: Any = None

    def frames(self, pace: float) -> Any:
        """Frames of each sign, as the model itself makes them of that: (signs,)."""
        return (self.logarithms.exp() / pace).ceil().reshape(-1).cpu().numpy()


@contextmanager
def durations(model: Any) -> Iterator[Durations]:
    """What a VITS model's predictor says while the block runs."""
    found = Durations()

    def keep(module: Any, given: Any, told: Any) -> None:
        found.logarithms = told.detach()

    hook = model.duration_predictor.register_forward_hook(keep)
    try:
        yield found
    finally:
        hook.remove()


def without_blanks(signs: Sequence[str], frames: Any) -> tuple[Sequence[str], Any]:
    """Signs and frames without the blanks before, between and after them: each counts with the sign before it."""
    lasting = frames[1::2] + frames[2::2]
    lasting[:1] += frames[0]
    return signs[1::2], lasting


def by_durations(signs: Sequence[str], frames: Any) -> Alignment:
    """The alignment of signs that last so many frames."""
    import numpy

    ends = numpy.cumsum(frames)
    scale = min(1.0, MOST / max(1.0, float(ends[-1])))
    wide = max(1, round(float(ends[-1]) * scale))
    rows: list[Any] = []
    edges = numpy.arange(wide, dtype=numpy.float32)
    for start, end in zip(ends - frames, ends, strict=True):
        at, until = (float(place) * scale for place in (start, end))
        # The share of each frame of the picture that lies within the sign's time.
        rows.append((numpy.minimum(edges + 1, until) - numpy.maximum(edges, at)).clip(0, 1).astype(numpy.float32))
    return Alignment(signs=tuple(signs), share=numpy.stack(rows), exact=True)


def by_attention(signs: Sequence[str], looked: Any) -> Alignment:
    """The alignment by attention (layers, heads, frames, signs), the mean over layers and heads."""
    import numpy

    mean = looked.detach().float().mean((0, 1)).cpu().numpy()
    together = -(-len(mean) // MOST)
    share = numpy.stack([part.mean(0) for part in numpy.array_split(mean, -(-len(mean) // together))], 1)
    return Alignment(signs=tuple(signs), share=share.astype(numpy.float32), exact=False)


def words_of(alignment: Alignment, text: str, seconds: float) -> tuple[Word, ...]:
    """The words of the text with their times, where durations are exact and as many words were spoken as written."""
    import numpy

    if not alignment.exact:
        return ()
    lasting = alignment.share.sum(1)
    ends = numpy.cumsum(lasting) / max(1e-9, float(lasting.sum())) * seconds
    spans: list[tuple[float, float]] = []
    open_word = False
    for sign, start, end in zip(alignment.signs, [0.0, *ends[:-1]], ends, strict=True):
        if not any(character.isalnum() for character in sign):
            open_word = open_word and not sign.isspace()
            continue
        spans = [*spans[:-1], (spans[-1][0], float(end))] if open_word else [*spans, (float(start), float(end))]
        open_word = True
    written = [word for word in text.split() if any(character.isalnum() for character in word)]
    if len(written) != len(spans):
        return ()
    pairs = zip(written, spans, strict=True)
    return tuple(Word(word, round(at, 3), round(until, 3), exact=True) for word, (at, until) in pairs)
