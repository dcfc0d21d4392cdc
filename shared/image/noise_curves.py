"""How much of the picture and how much noise there is at each step, as diffusers' own schedulers have it.

A picture x in noise e is told as x_t = signal * x + noise * e. The signal-to-noise ratio is (signal / noise)^2, as in
Kingma et al. 2021 (https://arxiv.org/abs/2107.00630), told here in decibels.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.backends.diffusion.schedulers import label, schedulers
from shared.errors import InvalidRequest

MOST_STEPS = 200


@dataclass(frozen=True)
class Schedule:
    """How noisy a model's training was; `kind`: which schedulers fit. `config`: what a scheduler is made from."""

    id: str
    name: str
    kind: str
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Point:
    """How it is before the step of that number, from 1.

    `kept`: the signal's share of the variance, 0 to 1, which is diffusers' alphas_cumprod where a model predicts noise.
    `sigma`: noise over signal; infinite where there is no signal yet.
    """

    step: int
    timestep: float
    kept: float
    sigma: float

    @property
    def snr_db(self) -> float:
        """Signal-to-noise ratio in decibels."""
        if self.sigma == 0:
            return math.inf
        return -20 * math.log10(self.sigma) if math.isfinite(self.sigma) else -math.inf


@cache
def schedules() -> Mapping[str, Schedule]:
    """The schedules that a person can choose."""
    rows = tomllib.loads((Path(__file__).parent / "noise_schedules.toml").read_text("utf-8"))
    return {name: Schedule(id=name, **row) for name, row in rows.items()}


def curve(scheduler: str, schedule: Schedule, steps: int) -> list[Point]:
    """The points of a run of so many steps by that scheduler (a diffusers class).

    Raises `InvalidRequest` for a scheduler of another family, and for too many steps.
    """
    if scheduler not in schedulers()[schedule.kind]:
        fitting = ", ".join(schedulers()[schedule.kind].values())
        raise InvalidRequest(f"{label(scheduler)} is not for “{schedule.name}”. Choose of: {fitting}.")
    if not 1 <= steps <= MOST_STEPS:
        raise InvalidRequest(f"Give between 1 and {MOST_STEPS} steps; {steps} were given.")
    import diffusers

    made = getattr(diffusers, scheduler)(**schedule.config)
    most = made.config.get("original_inference_steps") or steps
    if steps > most:
        raise InvalidRequest(f"{label(scheduler)} takes at most {most} steps. Lower them.")
    made.set_timesteps(steps)
    return _points(made, flow=schedule.kind == "flow")


def _points(scheduler: Any, *, flow: bool) -> list[Point]:
    """One point a step: of a method that looks twice at each step (Heun), the first look."""
    sigmas = getattr(scheduler, "sigmas", None)
    points: list[Point] = []
    last = None
    for place, timestep in enumerate(float(value) for value in scheduler.timesteps):
        if timestep == last:
            continue
        last = timestep
        if sigmas is None:
            kept = float(scheduler.alphas_cumprod[int(timestep)])
            sigma = math.sqrt((1 - kept) / kept) if kept else math.inf
        else:
            sigma = _ratio(float(sigmas[place])) if flow else float(sigmas[place])
            kept = 1 / (1 + sigma**2)
        points.append(Point(len(points) + 1, timestep, kept, sigma))
    return points


def _ratio(share: float) -> float:
    """Noise over signal where the noise is so large a share, and the signal the rest."""
    return share / (1 - share) if share < 1 else math.inf
