"""Shows a grid of pictures as HTML: each with its time, memory, cost, and its likeness to the first."""

from __future__ import annotations

import io
import math
from html import escape
from typing import Any

from shared.data_urls import data_url
from shared.image.drawing import Drawing
from shared.image.finishing import safe
from shared.image.likeness import psnr, ssim
from shared.image.sweeping import Axis
from shared.requests import ImagePart, ImageRequest
from shared.settings import Settings
from shared.ui import receipt_view

SIDE = 220  # pixels of a picture in the grid


class Grid:
    """Renders one grid as it fills; a cell that hasn't changed isn't made again.

    `side`: pixels of a picture. `figures`: whether time, memory, cost and likeness stand below it.
    """

    def __init__(self, across: Axis, down: Axis, settings: Settings, *, side: int = SIDE, figures: bool = True) -> None:
        self._across, self._down, self._settings = across, down, settings
        self._side, self._figures = side, figures
        self._cells: dict[tuple[int, int], tuple[Drawing, str]] = {}

    def html(self, grid: list[list[tuple[Drawing, ImageRequest]]]) -> str:
        """The whole grid as it is now."""
        first = grid[0][0][0]
        head = "".join(f"<th>{escape(label)}</th>" for label in self._across.labels)
        cells = ["".join(self._cell(x, y, cell[0], first) for x, cell in enumerate(row)) for y, row in enumerate(grid)]
        named = any(self._down.labels)
        sides = [f"<th>{escape(label)}</th>" if named else "" for label in self._down.labels]
        rows = "".join(f"<tr>{side}{row}</tr>" for side, row in zip(sides, cells, strict=True))
        top = f"<tr>{'<th></th>' if named else ''}{head}</tr>" if any(self._across.labels) else ""
        return f'<div class="pg-scroll"><table class="pg-table pg-grid">{top}{rows}</table></div>'

    def _cell(self, x: int, y: int, drawing: Drawing, first: Drawing) -> str:
        known = self._cells.get((x, y))
        if known is None or known[0] is not drawing:
            known = self._cells[x, y] = drawing, self._made(drawing, first)
        return known[1]

    def _made(self, drawing: Drawing, first: Drawing) -> str:
        if drawing.error:
            return f'<td><div class="pg-note pg-error">{escape(str(drawing.error))}</div></td>'
        picture, words = "", ""
        if drawing.images:
            told = str(drawing.receipt.extra.get("unchecked", "")) if drawing.receipt else ""
            part, words = safe(drawing.images[0], self._settings, told)
            picture = _shown(part, self._side)
        elif drawing.preview is not None:
            picture = webp_url(drawing.preview)
        image = f'<img src="{picture}" width="{self._side}" alt="">' if picture else ""
        warning = f'<div class="pg-note pg-warn">{escape(words)}</div>' if words else ""
        return f'<td>{image}<div class="pg-quiet">{escape(self._line(drawing, first))}</div>{warning}</td>'

    def _line(self, drawing: Drawing, first: Drawing) -> str:
        if drawing.receipt is None:
            return drawing.status
        if not self._figures:
            return ""
        seconds = drawing.receipt.seconds
        parts = [f"{seconds.total - seconds.load - seconds.queue:.1f} s", receipt_view.memory_text(drawing.receipt)]
        parts.append(receipt_view.cost_text(drawing.receipt))
        if drawing is not first and drawing.images and first.images:
            parts.append(like(first.images[0], drawing.images[0]))
        return " · ".join(filter(None, parts))


def like(first: ImagePart, other: ImagePart) -> str:
    """How like the first a picture is, in words; nothing where their sizes differ."""
    error = psnr(first, other)
    if error is None:
        return ""
    if math.isinf(error):
        return "same as the first"
    structure = ssim(first, other)
    words = f"{error:.1f} dB like the first"
    return words if structure is None else f"{words}, SSIM {structure:.2f}"


def _shown(part: ImagePart, side: int) -> str:
    from PIL import Image

    image = Image.open(io.BytesIO(part.data)).convert("RGB")
    image.thumbnail((2 * side, 2 * side))
    return webp_url(image)


def webp_url(image: Any) -> str:
    """The picture as a WebP within the page."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "WEBP", quality=90)
    return data_url(file.getvalue(), "image/webp")
