"""What providers honour when they make solids: rows of `solids.toml`, which says what each means."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shared.backends.base import Capabilities
from shared.backends.endpoints import Profile, matching, read_models, read_profile


@dataclass(frozen=True, kw_only=True)
class SolidProfile(Profile):
    """A row of solids.toml."""

    picture: str = "image_url"
    listed: bool = False
    views: Mapping[str, str] = field(default_factory=dict)
    needs_views: tuple[str, ...] = ()
    needs_picture: bool = True
    words: bool = False
    either: bool = False
    body: Mapping[str, Any] = field(default_factory=dict)
    sent_as: Mapping[str, str] = field(default_factory=dict)
    every: float = 3.0

    def capabilities(self) -> Capabilities:
        """The same, as the engine and the screen read it."""
        seed = self.seed if "seed" in self.takes else "none"
        return replace(super().capabilities(), images="image" in self.takes, seed=seed, jobs=True)


def profile_of(provider: str, model: str) -> SolidProfile:
    """What the provider honours for the model of that name."""
    row: dict[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))[provider]
    base = row.get("honours", {})
    rows = [{**each, "needs_views": tuple(each.get("needs_views", ()))} for each in row.get("model", ())]
    models = read_models(SolidProfile, base, rows)
    return matching(models, model) or read_profile(SolidProfile, base, {})


_FILE = Path(__file__).with_name("solids.toml")
