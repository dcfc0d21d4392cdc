"""A sound of somebody's own that leads a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recording:
    """16-bit samples of one channel, `sample_rate` a second."""

    pcm: bytes
    sample_rate: int

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.pcm) / (2 * self.sample_rate)
