"""Puts clips one after another, with a transition between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import InvalidRequest
from shared.video.encoding import encode
from shared.video.reading import frames, measure

if TYPE_CHECKING:
    from PIL.Image import Image

TRANSITIONS: Mapping[str, str] = {"cut": "Cut", "fade": "Fade", "wipe": "Wipe", "slide": "Slide"}
MOST_CLIPS = 20
MOST_FRAMES = 2000  # of the whole: they are held in memory


@dataclass(frozen=True, kw_only=True)
class Joined:
    """The file, and where each clip begins in it, in seconds."""

    video: bytes
    starts: tuple[float, ...]


def join(clips: Sequence[bytes], transition: str = "cut", seconds: float = 0.5) -> Joined:
    """One clip of several, in the size and at the pace of the first. `seconds`: how long a transition takes.

    A transition takes from the end of one and the beginning of the next. Sound is left out. Raises `InvalidRequest`.
    """
    if not clips:
        raise InvalidRequest("There is nothing to join. Make some clips first.")
    if len(clips) > MOST_CLIPS:
        raise InvalidRequest(f"At most {MOST_CLIPS} clips can be joined; there are {len(clips)}.")
    if transition not in TRANSITIONS:
        raise InvalidRequest(f"A transition is one of {', '.join(TRANSITIONS)}; not {transition[:20]!r}.")
    first = measure(clips[0])
    fps, size = first.fps or 8.0, (first.width, first.height)
    known = [measure(clip) for clip in clips]
    if sum(round(each.seconds * fps) for each in known) > MOST_FRAMES:
        raise InvalidRequest(f"Together they have more than {MOST_FRAMES} frames. Join fewer or shorter ones.")
    shots = [list(_paced(clip, each.fps or fps, fps, size)) for clip, each in zip(clips, known, strict=True)]
    overlap = 0 if transition == "cut" else round(seconds * fps)
    whole, starts = list(shots[0]), [0.0]
    for shot in shots[1:]:
        shared = min(overlap, len(whole) - 1, len(shot) - 1)
        starts.append((len(whole) - shared) / fps)
        mixed = [
            _mixed(transition, whole[len(whole) - shared + i], shot[i], (i + 1) / (shared + 1)) for i in range(shared)
        ]
        whole[len(whole) - shared :] = [*mixed, *shot[shared:]]
    return Joined(video=encode(whole, fps), starts=tuple(starts))


def _paced(clip: bytes, own: float, fps: float, size: tuple[int, int]) -> Iterator[Image]:
    """The clip's frames at that pace and in that size: some twice, or left out, where its own pace is another."""
    from PIL import ImageOps

    given = 0
    for number, frame in enumerate(frames(clip)):
        while given < round((number + 1) * fps / own):
            given += 1
            yield frame if frame.size == size else ImageOps.pad(frame, size)


def _mixed(transition: str, before: Image, after: Image, share: float) -> Image:
    from PIL import Image as Pillow

    if transition == "fade":
        return Pillow.blend(before, after, share)
    edge = round(before.width * share)
    whole = before.copy()
    if transition == "wipe":
        whole.paste(after.crop((0, 0, edge, after.height)), (0, 0))
    else:  # the new one pushes the old one out
        whole.paste(before, (-edge, 0))
        whole.paste(after, (before.width - edge, 0))
    return whole
