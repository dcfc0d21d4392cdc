"""Pictures of what a model had in hand: a codec's tokens, and which sign sounded when; as SVG."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.outputs import Alignment, Codes, SoundInside

FRAMES = 500  # that are drawn: of a longer part, the first
TABLE = 24  # frames whose numbers are told
_WIDE, _LEFT, _FOOT = 900, 76, 22
_ROW, _SIGN = 18, 13  # pixels a codebook and a sign
_SIGNS = 160  # that are drawn


def pictures(inside: SoundInside) -> Iterator[str]:
    """An SVG for each thing that is known, and the numbers of the first tokens as a table."""
    if inside.alignment is not None:
        yield _aligned(inside.alignment, inside.start, inside.end)
    if inside.codes is not None:
        yield _tokens(inside.codes, inside.start, inside.end)
        yield _numbers(inside.codes)


def _tokens(codes: Codes, start: float, end: float) -> str:
    """A row a codebook; the colour stands for the token's number, and neighbours in number are not alike in sound."""
    import numpy

    shown = codes.tokens[:, :FRAMES]
    hue = (shown.astype(numpy.float64) * 0.61803399) % 1.0  # by the golden ratio, so that near numbers differ in colour
    until = start + (end - start) * shown.shape[1] / codes.tokens.shape[1]
    rows = [f"codebook {number + 1}" for number in range(len(shown))]
    name = f"Codec tokens: {len(shown)} codebooks, {codes.tokens.shape[1]} frames"
    return _svg(_coloured(hue), rows, _ROW, start, until, name)


def _numbers(codes: Codes) -> str:
    shown = codes.tokens[:, :TABLE]
    body = "".join(
        f"<tr><th>{number + 1}</th>{''.join(f'<td>{token}</td>' for token in row)}</tr>"
        for number, row in enumerate(shown.tolist())
    )
    words = f"The first {shown.shape[1]} of {codes.tokens.shape[1]} frames; each token is one of {codes.size:,}"
    return (
        f"<details><summary>{words}</summary>"
        f'<div class="pg-scroll"><table class="pg-table">{body}</table></div></details>'
    )


def _aligned(alignment: Alignment, start: float, end: float) -> str:
    """A row a sign; the darker, the more of the moment is its own."""
    import numpy

    share = alignment.share[:_SIGNS]
    most = numpy.maximum(share.max(initial=1e-6), 1e-6)
    kind = "By the durations that the model set" if alignment.exact else "By where the model looked"
    return _svg(_grey(share / most), [_named(s) for s in alignment.signs[:_SIGNS]], _SIGN, start, end, kind)


def _named(sign: str) -> str:
    return {" ": "space", "▁": "space"}.get(sign, sign)


def _svg(image: str, rows: list[str], high: int, start: float, end: float, name: str) -> str:
    tall, wide = len(rows) * high, _WIDE - _LEFT
    labels = "".join(
        f'<text x="{_LEFT - 6}" y="{number * high + high * 0.75:.1f}" text-anchor="end">{escape(row)}</text>'
        for number, row in enumerate(rows)
    )
    ticks = "".join(
        f'<text x="{_LEFT + wide * place / 4:.1f}" y="{tall + 16}" text-anchor="{anchor}">'
        f"{start + (end - start) * place / 4:.2f} s</text>"
        for place, anchor in enumerate(("start", "middle", "middle", "middle", "end"))
    )
    return (
        f'<svg viewBox="0 0 {_WIDE} {tall + _FOOT}" width="{_WIDE}" role="img" aria-label="{escape(name)}" '
        f'class="pg-inside"><image x="{_LEFT}" y="0" width="{wide}" height="{tall}" preserveAspectRatio="none" '
        f'href="{image}"/>{labels}{ticks}</svg><div class="pg-quiet">{escape(name)}</div>'
    )


def _coloured(hue: Any) -> str:
    import numpy

    full = numpy.full_like(hue, 1.0)
    return _png(numpy.stack([hue, full * 0.55, full * 0.85], -1), "HSV")


def _grey(share: Any) -> str:
    return _png((1 - share)[..., None].repeat(3, -1), "RGB")


def _png(values: Any, mode: str) -> str:
    """A data URL of a picture with a pixel a value, 0 to 1."""
    from PIL import Image

    pixels = (values * 255).round().astype("uint8")
    height, width = pixels.shape[:2]
    file = io.BytesIO()
    Image.frombytes(mode, (width, height), pixels.tobytes()).convert("RGB").save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
