"""diffusers' pipelines that make sound: what each takes, and one of them in memory."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.audio.pcm import to_pcm
from shared.backends.base import Capabilities, Outcome
from shared.backends.diffusion.leading import told_of_steps
from shared.backends.local.failures import within_memory
from shared.backends.local.parts import OfParts
from shared.errors import BackendError, CorruptWeights, InvalidRequest
from shared.events import Progress
from shared.outputs import AudioOutput
from shared.requests import AudioRequest

if TYPE_CHECKING:
    from shared.requests import Request
    from shared.streaming import Emit

LESS = "Ask for fewer seconds, unload other models, or choose a smaller model."


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A row of audio.toml, which says what each means."""

    duration: str
    rate: str
    seconds: float
    most: float
    follows: frozenset[str]


@cache
def kinds() -> Mapping[str, Kind]:
    """The pipelines by their classes' names."""
    rows = tomllib.loads(Path(__file__).with_name("audio.toml").read_text(encoding="utf-8"))
    return {name: Kind(**{**row, "follows": frozenset(row["follows"])}) for name, row in rows.items()}


def kind_of(pipe: Any, called: str) -> Kind:
    """The kind of a loaded pipeline. Raises `BackendError` for one that makes no sound, or isn't known here."""
    name = type(pipe).__name__
    if name not in kinds():
        raise BackendError(f"{called} is a {name}. Those that make sound here: {', '.join(kinds())}.")
    return kinds()[name]


class AudioModel(OfParts):
    """Its parts are a pipeline, of that kind."""

    def __init__(self, pipe: Any, kind: Kind, capabilities: Capabilities, facts: Mapping[str, Any]) -> None:
        super().__init__(pipe, capabilities, facts)
        self._kind = kind
        self._rate = int(reduce(getattr, kind.rate.split("."), pipe))

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Make the sound. Raises `InvalidRequest`, `OutOfMemory` with what to lower, `CorruptWeights`, `Cancelled`."""
        assert isinstance(request, AudioRequest)
        seconds = request.duration or self._kind.seconds
        if seconds > self._kind.most:
            raise InvalidRequest(f"This model makes at most {self._kind.most:g} seconds. Lower the duration.")
        samples = within_memory(lambda: self._made(request, seconds, emit), LESS)
        left = {
            name: f"{type(self._parts).__name__} has no such setting."
            for name in request.settings()
            if name not in self.capabilities.parameters
        }
        output = AudioOutput(
            pcm=to_pcm(samples.reshape(-1)), sample_rate=self._rate, channels=samples.shape[1], finish_reason="stop"
        )
        return Outcome(output=output, facts={"unhonoured": left} if left else {})

    def _made(self, request: AudioRequest, seconds: float, emit: Emit) -> Any:
        """The samples, float32 (n, channels)."""
        import torch

        taken = inspect.signature(self._parts.__call__).parameters
        given: dict[str, Any] = {
            name: value
            for name in self._kind.follows
            if name in taken and (value := getattr(request, name)) is not None
        }
        steps = given.get("num_inference_steps") or taken["num_inference_steps"].default

        def step_ended(pipe: Any, step: int, when: Any, values: dict[str, Any]) -> dict[str, Any]:
            total = int(getattr(pipe, "num_timesteps", 0) or steps or step + 1)
            emit(Progress(f"Step {step + 1} of {total}", step + 1, total))
            emit.check()
            return values

        emit(Progress("Making the sound"))
        made = self._parts(
            prompt=request.prompt,
            **{self._kind.duration: seconds},
            **given,
            generator=torch.Generator("cpu").manual_seed((request.seed or 0) % 2**63),
            **told_of_steps(self._parts, step_ended),
        ).audios[0]
        return self._samples(made, seconds)

    def _samples(self, made: Any, seconds: float) -> Any:
        import numpy
        import torch

        samples = made.float().cpu().numpy() if isinstance(made, torch.Tensor) else numpy.asarray(made, numpy.float32)
        samples = samples.reshape(-1, samples.shape[-1]).T[: round(seconds * self._rate)]
        if not numpy.isfinite(samples).all():
            raise CorruptWeights(
                "This model's numbers went out of bounds, so that there is no sound. Its weights are damaged, or not "
                f"made for {self.facts['dtype']}. Download the model again, or choose another engine."
            )
        return samples / max(1.0, float(numpy.abs(samples).max(initial=0.0)))
