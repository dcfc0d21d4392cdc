"""Chooses each token: penalties, temperature, top-k, top-p, and one random number a token.

Everything is done on the CPU with a generator of the run's own, so that a seed gives the same tokens whatever
else runs in the process, and the same noise on every device and for every engine that uses this.
Repetition penalty: Keskar et al., "CTRL", 2019. Top-p: Holtzman et al., "The Curious Case of Neural Text
Degeneration", 2019.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from shared.errors import BackendError
from shared.requests import ChatRequest

Floats = npt.NDArray[np.floating[Any]]
COARSE = 16  # bits of a float32 that are left out where weights are put in order roughly


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How to choose. `temperature` 0 always takes the likeliest; `top_k` 0 and `top_p` 1 leave all tokens in."""

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    alternatives: int = 0

    @classmethod
    def of(cls, request: ChatRequest, model: Any) -> Sampling:
        """The request's settings; where it has none, those of the model's own `GenerationConfig`."""
        samples = bool(getattr(model, "do_sample", False))

        def setting(name: str, fallback: float) -> Any:
            own = getattr(model, name, None) if samples else None
            asked = getattr(request, name)
            return asked if asked is not None else own if own is not None else fallback

        return cls(
            temperature=setting("temperature", 1.0 if samples else 0.0),
            top_k=setting("top_k", 0),
            top_p=setting("top_p", 1.0),
            repetition_penalty=setting("repetition_penalty", 1.0),
            alternatives=request.top_logprobs or 0,
        )


@dataclass(frozen=True)
class Choice:
    """A token id, the log-probability the model gave it, and the likeliest ids with theirs."""

    id: int
    logprob: float | None = None
    alternatives: tuple[tuple[int, float], ...] = ()


class Sampler:
    """Chooses the tokens of one run. `seen`: ids that the repetition penalty counts from the start."""

    def __init__(self, sampling: Sampling, seed: int | None, seen: Iterable[int] = ()) -> None:
        self._sampling, self._seen = sampling, set(seen)
        self._random = np.random.Generator(np.random.PCG64(seed))

    def choose(self, logits: Floats) -> Choice:
        """The next token from its logits, shape (vocabulary,). Raises `BackendError` where they are not numbers."""
        if np.isnan(logits.max()):
            raise BackendError(
                "The model's numbers overflowed. Load it in another precision (float32 where it was float16)."
            )
        chosen = self._draw(self._penalised(logits))
        self._seen.add(chosen)
        if not self._sampling.alternatives:
            return Choice(chosen)
        logprobs = _log_softmax(logits)
        likeliest = _largest(logprobs, self._sampling.alternatives)
        return Choice(chosen, float(logprobs[chosen]), tuple((int(i), float(logprobs[i])) for i in likeliest))

    def _penalised(self, logits: Floats) -> Floats:
        penalty = self._sampling.repetition_penalty
        if penalty == 1.0 or not self._seen:
            return logits
        seen = np.fromiter((i for i in self._seen if i < len(logits)), dtype=np.int64)
        changed = logits.copy()
        values = changed[seen]
        changed[seen] = np.where(values > 0, values / penalty, values * penalty)
        return changed

    def _draw(self, logits: Floats) -> int:
        settings = self._sampling
        if settings.temperature == 0.0:
            return int(logits.argmax())
        weights = np.exp((logits - logits.max()) / np.float32(settings.temperature))
        if settings.top_p < 1.0 and not settings.top_k:
            falling = Falling(weights)
            _, held = falling.at(settings.top_p * falling.total)
            return falling.at(self._random.random() * held, "right")[0]
        kept = _largest(weights, settings.top_k) if settings.top_k else None
        if kept is not None:
            kept = _until(weights, kept, settings.top_p)
        chances = np.cumsum(weights if kept is None else weights[kept], dtype=np.float64)
        place = int(np.searchsorted(chances, self._random.random() * chances[-1], side="right"))
        place = min(place, len(chances) - 1)
        return place if kept is None else int(kept[place])


def _largest(values: Floats, count: int) -> npt.NDArray[np.int64]:
    """Indices of the largest values, largest first; equal ones in the order of their index."""
    if count >= len(values):
        return np.argsort(-values, kind="stable")
    some = np.sort(np.argpartition(-values, count - 1)[:count])
    return some[np.argsort(-values[some], kind="stable")]


def _until(weights: Floats, kept: npt.NDArray[np.int64], top_p: float) -> npt.NDArray[np.int64]:
    """As many of `kept` as it takes to hold that share of them, at least one."""
    if top_p >= 1.0:
        return kept
    held = np.cumsum(weights[kept], dtype=np.float64)
    return kept[: int(np.searchsorted(held, top_p * held[-1])) + 1]


class Falling:
    """Weights (n,), none below 0, from the largest to the smallest and equal ones in the order of their index, looked
    up without sorting them all: where many tokens are likely, that took several times as long as a model's step.

    A float's upper bits order it roughly, so that sums by these tell which few weights a place lies among.
    """

    def __init__(self, weights: Floats) -> None:
        self._weights = np.ascontiguousarray(weights, dtype=np.float32)
        self._rough = self._weights.view(np.uint32) >> COARSE
        self._sums = np.cumsum(np.bincount(self._rough, weights=self._weights)[::-1])

    @property
    def total(self) -> float:
        """The sum of all."""
        return float(self._sums[-1])

    def at(self, target: float, side: Literal["left", "right"] = "left") -> tuple[int, float]:
        """The index of the first at which the sum of all up to it reaches the target, or (`right`) is above it, and
        that sum. The last one where none is."""
        last = len(self._sums) - 1
        if target >= self.total:
            target, side = self.total, "left"
        group = int(np.searchsorted(self._sums, target, side))
        before = float(self._sums[group - 1]) if group else 0.0
        among = np.flatnonzero(self._rough == last - group)
        among = among[np.argsort(-self._weights[among], kind="stable")]
        sums = before + np.cumsum(self._weights[among], dtype=np.float64)
        place = min(int(np.searchsorted(sums, target, side)), len(among) - 1)
        return int(among[place]), float(sums[place])


def _log_softmax(logits: Floats) -> Floats:
    shifted = (logits - logits.max()).astype(np.float64)
    result: Floats = shifted - np.log(np.exp(shifted).sum())
    return result
