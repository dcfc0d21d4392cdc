"""A clip as a way through what a picture model can draw: for each frame, what is drawn and from what.

The prompts' embeddings go on a straight line from one shot to the next, and the noise on the arc between that of two
seeds; with a camera, each frame is drawn from the one before it, as the camera sees it a moment later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.requests import ImageRequest, VideoRequest
from shared.requests.base import MOST_SEED
from shared.video.camera import STILL

FEEDBACK = 0.3  # how much of a frame is drawn anew where the camera moves
WANDER = 1.0  # how far the noise goes where each frame is drawn from noise alone
FAR = 7919  # from a clip's seed to that of the noise it goes towards


@dataclass(frozen=True, kw_only=True)
class Step:
    """A frame, `time` in seconds. `fed`: it is drawn from the frame before it."""

    number: int
    time: float
    request: ImageRequest
    fed: bool


def steps(request: VideoRequest, count: int, fps: float) -> Iterator[Step]:
    """The frames of a clip in their order."""
    moving = request.camera not in (None, STILL)
    fed = moving or request.strength is not None or request.image is not None
    strength = (FEEDBACK if request.strength is None else request.strength) if fed else None
    wander = WANDER if request.wander is None else request.wander
    seed = request.seed or 0
    for number in range(count):
        time = number / fps
        prompt, following, share = between(request, time)
        yield Step(
            number=number,
            time=time,
            fed=fed and number > 0,
            request=ImageRequest(
                prompt=prompt,
                blend_prompt=following if share else None,
                blend=share or None,
                negative_prompt=request.negative_prompt,
                width=request.width,
                height=request.height,
                num_inference_steps=request.num_inference_steps,
                guidance_scale=request.guidance_scale,
                strength=_strength(request, number, strength),
                # Fed frames take new noise each: the same again and again would be drawn into them as a pattern.
                seed=(seed + number) % MOST_SEED if fed else seed,
                variation_seed=(seed + FAR) % MOST_SEED if wander and not fed else None,
                variation_strength=wander * number / max(1, count - 1) if wander and not fed else None,
            ),
        )


def _strength(request: VideoRequest, number: int, strength: float | None) -> float | None:
    """Of a frame: the first is drawn from noise, or is the picture that was given, as it is."""
    if number > 0:
        return strength
    return None if request.image is None else 0.0


def between(request: VideoRequest, time: float) -> tuple[str, str, float]:
    """The shot's prompt at that time, the next one's, and how far it is on the way there (0 to 1)."""
    stops = [(0.0, request.prompt), *((shot.start, shot.prompt) for shot in request.shots)]
    last = max(index for index, (start, _) in enumerate(stops) if start <= time + 1e-9)
    if last == len(stops) - 1:
        return stops[last][1], "", 0.0
    (start, prompt), (end, following) = stops[last], stops[last + 1]
    return prompt, following, round((time - start) / (end - start), 6)
