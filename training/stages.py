"""What the makers of all starters are told on the command line, and how long training goes on."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Protocol

SAVED_EVERY = 240.0  # seconds


def parser_of(words: str, stages: Sequence[str], minutes: float, of: str) -> argparse.ArgumentParser:
    """`--stage`, of these, and `--minutes`, of that. `words`: what the maker's module says of itself."""
    parser = argparse.ArgumentParser(description=words.partition("\n")[0])
    parser.add_argument("--stage", choices=stages, action="append", help="only this (may be given again)")
    parser.add_argument("--minutes", type=float, default=minutes, help=f"of {of} (default: %(default)s)")
    return parser


class Trains(Protocol):
    """What learns. `steps`: how many it has made, before a stop too."""

    steps: int

    def step(self, rate: float) -> float:
        """One step at that rate; the loss."""

    def save(self) -> None:
        """Write down all that is needed to go on."""


def train(
    trainer: Trains, minutes: float, rate: Callable[[float], float], *, name: str, each: int, what: str, told_every: int
) -> None:
    """Train for so long, saving now and then. `rate`: for the share of the time that is left.

    `each`: how many of `what` a step sees; after every `told_every` steps it is printed how it goes.
    """
    begun = saved = time.monotonic()
    losses: list[float] = []
    first = trainer.steps
    while (spent := time.monotonic() - begun) < minutes * 60:
        losses.append(trainer.step(rate(1 - spent / (minutes * 60))))
        if trainer.steps % told_every == 0:
            pace = (trainer.steps - first) * each / (time.monotonic() - begun)
            mean = sum(losses) / len(losses)
            print(f"{name} {trainer.steps} loss {mean:.4f} {pace:.3g} {what}/s", flush=True)
            losses.clear()
        if time.monotonic() - saved > SAVED_EVERY:
            trainer.save()
            saved = time.monotonic()
    trainer.save()
