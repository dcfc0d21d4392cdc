"""What every request has, and pictures that may be part of one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from shared.data_urls import data_url
from shared.errors import InvalidRequest
from shared.tasks import Task

MOST_SEED = 2**32  # how many seeds there are


@dataclass(frozen=True, kw_only=True)
class Request:
    """Base of every request. `seed`: 0 to 2**32 - 1; None draws one, which the receipt then names."""

    seed: int | None = None

    # Fields that carry the work itself; every other field is a setting that an engine may not honour.
    CONTENT: ClassVar[frozenset[str]] = frozenset()
    # Settings that hold what a person wrote: a history that keeps no words lacks them.
    WORDS: ClassVar[frozenset[str]] = frozenset()
    # Fields that no file and no receipt may hold.
    KEPT_BACK: ClassVar[frozenset[str]] = frozenset()
    TASK: ClassVar[Task] = Task.CHAT  # what a model that is named by hand is wanted for
    # Fields without which another work would be done, and in words what they ask for: an engine that can't, refuses.
    ESSENTIAL: ClassVar[Mapping[str, str]] = {}

    def settings(self) -> dict[str, Any]:
        """The settings that were given a value: field name to value, content left out."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in self.CONTENT}
        return {name: value for name, value in named.items() if value is not None and value != ()}

    @property
    def derived(self) -> frozenset[str]:
        """Fields that follow from the rest of the request: a model's own values for them don't count."""
        return frozenset()

    @property
    def overruled(self) -> frozenset[str]:
        """Fields that count for nothing, because another of the request says the same otherwise and goes before."""
        return frozenset()

    def implied(self, parameters: Collection[str]) -> dict[str, Any]:
        """Values that follow from what was asked, for fields of `parameters` that were left open."""
        return {}

    def idle(self) -> dict[str, str]:
        """Settings that were given and have no effect in this request, and why."""
        return {}

    def validate(self) -> None:
        """Raise `InvalidRequest` where a value is outside what any engine could take."""
        within("seed", self.seed, 0, MOST_SEED - 1)

    def texts(self) -> tuple[str, ...]:
        """What a person wrote, each of which a server limits in length."""
        return ()


@dataclass(frozen=True)
class ImagePart:
    """A picture in a message: encoded bytes and their media type, for example `image/png`."""

    data: bytes
    media_type: str

    @property
    def data_url(self) -> str:
        """The picture as a data URL."""
        return data_url(self.data, self.media_type)


@dataclass(frozen=True)
class ClipPart(ImagePart):
    """A clip in a request: the bytes of its file and their media type, for example `video/mp4`."""


def within(name: str, value: float | None, low: float, high: float) -> None:
    """Raise `InvalidRequest` for a value out of range. NaN fails every comparison, so it is refused here too."""
    if value is not None and not low <= value <= high:
        raise InvalidRequest(f"{name} must be between {low:g} and {high:g}; it is {value:g}.")
