"""Clips that a processor can finish, and about how long it would take over larger ones.

Both are of the order of the truth and no more: the work is counted as multiplications of a transformer, which is what
nearly all of it is, and the processor by what one core was measured to do.
"""

from __future__ import annotations

from typing import Any

from shared.backends.diffusion.video_kinds import Kind
from shared.requests import VideoRequest

SIDE, MOST, STEPS = 256, 8, 8  # pixels, frames, steps
LONG = 900.0  # seconds that a person is not made to wait for without being asked
_EACH_CORE = 4e10  # float32 operations a second: 5.5e10 were measured on one with AVX-512, most have less
_BESIDE = 1.3  # of the work at each step: text encoder and decoder
_LAYERS = 30  # of a transformer of this kind; its width follows from its size


def tier(kind: Kind) -> dict[str, Any]:
    """Values for a request that leaves them open: up to 8 frames, small and in few steps. None for a world model, which
    is made for one size."""
    if kind.walked:
        return {}
    frames = 1 + kind.step * max(1, (MOST - 1) // kind.step)  # some make 9 at least
    side = max(kind.multiple, SIDE // kind.multiple * kind.multiple)
    found: dict[str, Any] = {"num_frames": frames, "width": side, "height": side}
    return {**found, "num_inference_steps": STEPS} if "num_inference_steps" in kind.follows else found


def seconds(kind: Kind, request: VideoRequest, billions: float, cores: int) -> float | None:
    """About how long it takes on that many cores. `billions`: parameters of what works at each step. None where that
    isn't known, or nothing is."""
    if not billions or not cores:
        return None
    wide, tall = request.width or request.height or SIDE, request.height or request.width or SIDE
    rows = (kind.count(request) - 1) // kind.step + 1
    pieces = rows * (wide / kind.multiple) * (tall / kind.multiple)
    width = (billions * 1e9 / (12 * _LAYERS)) ** 0.5
    step = 2 * billions * 1e9 * pieces * (1 + pieces / (6 * width))  # a layer's matrices, and its attention
    guided = 2 if "guidance_scale" in kind.follows and (request.guidance_scale or 2.0) > 1 else 1
    work: float = step * guided * (request.num_inference_steps or 30) * _BESIDE
    return work / (cores * _EACH_CORE)
