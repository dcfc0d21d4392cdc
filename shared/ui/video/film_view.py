"""A clip while it grows, as HTML: what there is of it plays over and over."""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING

from shared.data_urls import data_url
from shared.video.filming import Filming

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 256  # pixels: the longer side of what is shown while it grows
MOST = 48  # frames of it
NOTHING = '<div class="pg-film"><div class="pg-film-none">The clip comes here, and plays while it grows.</div></div>'


def growing(clip: Filming) -> str:
    """The frames so far, playing, with how far it is below; a place to wait where there are none."""
    if not clip.frames:
        return f'<div class="pg-film"><div class="pg-film-none">{escape(clip.status or "Working")}</div></div>'
    words = "unfinished" if clip.rough else f"frame {len(clip.frames)} of {clip.total}" if clip.total else ""
    alt = f"The clip so far: {words}" if words else "The clip so far"
    return (
        f'<div class="pg-film"><img src="{playing(clip.frames, clip.fps)}" alt="{alt}">'
        f'<div class="pg-quiet">{escape(words)}</div></div>'
    )


def playing(frames: tuple[Image, ...], fps: float) -> str:
    """The frames as a data URL of a WebP that plays over and over; a part of them where there are many."""
    every = -(-len(frames) // MOST)
    small = [_small(frame) for frame in frames[::every]]
    file = io.BytesIO()
    small[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=small[1:],
        duration=round(1000 * every / (fps or 8.0)),
        loop=0,
        quality=80,
        method=0,  # the quickest: it is shown for a second
    )
    return data_url(file.getvalue(), "image/webp")


def _small(frame: Image) -> Image:
    small = frame.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    return small
