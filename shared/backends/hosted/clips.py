"""What providers honour when they make clips: rows of `clips.toml`, which says what each means."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shared.backends.base import Capabilities, Clips
from shared.backends.endpoints import Endpoint, Profile, matching, read_endpoints, read_models, read_profile
from shared.backends.hosted.sizes import FreeSizes, Size, nearest_listed
from shared.errors import InvalidRequest
from shared.requests import ImagePart, VideoRequest


@dataclass(frozen=True, kw_only=True)
class ClipProfile(Profile):
    """A row of clips.toml."""

    sent_as: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    start_sizes: Mapping[str, str] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)
    free: Mapping[str, Any] = field(default_factory=dict)
    durations: tuple[float, ...] = ()
    shortest: float = 0.1
    longest: float = 60.0
    whole: bool = False
    usual: float = 5.0
    only: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    fps: float = 0.0
    prompt: int = 0
    needs_start: bool = False
    needs_clip: bool = False
    clip: float = 0.0
    picture: int = 0
    every: float = 5.0
    body: Mapping[str, Any] = field(default_factory=dict)

    def size(self, request: VideoRequest) -> Size | None:
        """What is asked for, or None for the model's own. A first picture gives its shape where no size is set."""
        wide, tall = request.width or request.height, request.height or request.width
        if wide is None or tall is None:
            if request.image is None or not self.sizes:
                return None
            wide, tall = _sides(request.image)
            wide, tall = self._small(wide, tall)
        if sizes := (request.image is not None and self.start_sizes) or self.sizes:
            return nearest_listed(sizes, self.scales, wide, tall)
        return FreeSizes(**self.free).nearest(wide, tall) if self.free else None

    def seconds(self, request: VideoRequest) -> float | None:
        """How long a clip is asked for; None where the model decides. Raises `InvalidRequest` for what it can't."""
        wanted = request.duration or self.usual or None
        if wanted is None or "duration" not in self.takes:
            return None
        size = self.size(request)
        allowed = self.only.get(size.scale, self.durations) if size else self.durations
        if allowed and not any(abs(wanted - each) < 0.01 for each in allowed):
            named = ", ".join(f"{each:g}" for each in allowed)
            raise InvalidRequest(f"This model makes clips of {named} seconds only. Change the duration.")
        if not allowed and not self.shortest <= wanted <= self.longest:
            raise InvalidRequest(
                f"This model makes clips of {self.shortest:g} to {self.longest:g} seconds. Change the duration."
            )
        if self.whole and abs(wanted - round(wanted)) > 0.01:
            raise InvalidRequest("This model makes clips of whole seconds. Change the duration.")
        return float(round(wanted)) if self.whole else wanted

    def capabilities(self) -> Capabilities:
        """The same, as the engine and the screen read it."""
        counted = range(round(self.shortest), round(self.longest) + 1) if self.whole else ()
        durations = self.durations or tuple(float(each) for each in counted)
        fps = self.fps or 16.0
        clips = Clips(
            frames=round((self.usual or 5.0) * fps), most=round(self.longest * fps), fps=fps, durations=durations
        )
        return replace(super().capabilities(), sizes=tuple(self.sizes), clips=clips, jobs=True)

    def _small(self, wide: int, tall: int) -> tuple[int, int]:
        """A size of that shape that is no larger than the smallest offered at the usual scale: it costs the least."""
        listed = [tuple(map(int, each.split("x"))) for each in self.start_sizes or self.sizes]
        area = min(w * h for w, h in listed)
        factor = (area / (wide * tall)) ** 0.5
        return max(1, round(wide * factor)), max(1, round(tall * factor))


def _sides(picture: ImagePart) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture.data)) as image:
            return image.size
    except Exception as error:
        raise InvalidRequest("The first picture can't be read. Choose a PNG, JPEG or WebP file.") from error


@dataclass(frozen=True)
class Maker:
    """A provider that makes clips."""

    default: ClipProfile
    models: tuple[tuple[tuple[str, ...], ClipProfile], ...] = ()

    def profile(self, model: str) -> ClipProfile:
        """What it honours for the model of that name."""
        return matching(self.models, model) or self.default


def _maker(row: Mapping[str, Any]) -> Maker:
    base = _tuples(row.get("honours", {}))
    models = [_tuples(each) for each in row.get("model", ())]
    return Maker(read_profile(ClipProfile, base, {}), read_models(ClipProfile, base, models))


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(row)
    if "durations" in made:
        made["durations"] = tuple(map(float, made["durations"]))
    if "only" in made:
        made["only"] = {name: tuple(map(float, each)) for name, each in made["only"].items()}
    return made


# providers whose models work in jobs, and do nothing else here
PROVIDERS: Mapping[str, Endpoint] = read_endpoints(Path(__file__).with_name("job_providers.toml"))
# a provider's or endpoint's id -> what it honours; those that are not here make no clips
MAKERS: Mapping[str, Maker] = {
    name: _maker(row)
    for name, row in tomllib.loads(Path(__file__).with_name("clips.toml").read_text(encoding="utf-8")).items()
}
