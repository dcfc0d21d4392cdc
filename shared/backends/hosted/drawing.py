"""What providers honour when they draw: rows of `drawing.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shared.backends.base import Capabilities
from shared.backends.diffusion.schedulers import named
from shared.backends.endpoints import Endpoint, Profile, matching, read_endpoints, read_models, read_profile
from shared.backends.hosted.sizes import FreeSizes, Size, nearest_listed

ROUND = 16  # pixels: what all models' sides are multiples of
NO_MASK = "It takes no mask, which would tell it what to draw anew."


@dataclass(frozen=True, kw_only=True)
class DrawingProfile(Profile):
    """`edits`: it draws from a picture, `masks`: and a mask. `previews`: how many of a picture in the making.

    `at_once`: pictures it makes in one call; the rest are asked for one after another. `sizes` and `scales` are
    those of `nearest_listed`; `free` the bounds where any size may be asked for. `sent_as`: our setting to the
    field of the request body, `body`: fields that every request has, `schedulers`: the
    kind of diffusers' that it has the like of.
    """

    edits: bool = False
    masks: bool = False
    previews: int = 0
    at_once: int = 1
    sizes: Mapping[str, str] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)
    free: Mapping[str, Any] = field(default_factory=dict)
    sent_as: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    schedulers: str = ""

    def size(self, width: int | None, height: int | None) -> Size | None:
        """What is drawn for a size asked for, or None where none was. One side alone asks for a square."""
        wide, tall = width or height, height or width
        if wide is None or tall is None:
            return None
        if self.sizes:
            return nearest_listed(self.sizes, self.scales, wide, tall)
        return FreeSizes(**self.free).nearest(wide, tall)

    def room(self, width: int, height: int, chosen: bool) -> tuple[int, int]:
        """The size in pixels that a picture drawn beyond its edges gets; one that nobody chose is rounded up."""
        if not chosen:
            width, height = (-(-side // ROUND) * ROUND for side in (width, height))
        size = self.size(width, height)
        return (size.width, size.height) if size else (width, height)

    def capabilities(self) -> Capabilities:
        """The same, as the engine and the screen read it."""
        known = super().capabilities()
        more = {"outpaint"} if self.masks else set()
        why_not = {"outpaint": NO_MASK, **known.why_not}
        return replace(
            known,
            parameters=known.parameters | more,
            why_not=why_not,
            images=self.edits,
            sizes=tuple(self.sizes),
            schedulers=named(self.schedulers) if self.schedulers else (),
        )


@dataclass(frozen=True)
class Drawer:
    """A provider that draws."""

    default: DrawingProfile
    models: tuple[tuple[tuple[str, ...], DrawingProfile], ...] = ()

    def profile(self, model: str) -> DrawingProfile:
        """What it honours for the model of that name."""
        return matching(self.models, model) or self.default


def _drawer(row: Mapping[str, Any]) -> Drawer:
    base, models = row.get("honours", {}), row.get("model", ())
    return Drawer(read_profile(DrawingProfile, base, {}), read_models(DrawingProfile, base, models))


# the servers for pictures that a deployer runs
SERVERS: Mapping[str, Endpoint] = read_endpoints(Path(__file__).with_name("picture_servers.toml"))
# a provider's or endpoint's id -> what it honours; those that are not here draw nothing
DRAWERS: Mapping[str, Drawer] = {
    name: _drawer(row)
    for name, row in tomllib.loads(Path(__file__).with_name("drawing.toml").read_text(encoding="utf-8")).items()
}
