"""diffusers' pipelines that make clips: what each takes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.backends.base import Capabilities, Clips
from shared.backends.local.sources import is_path
from shared.errors import BackendError, InvalidRequest
from shared.requests import VideoRequest

ALWAYS = frozenset({"seed", "width", "height", "duration", "fps", "num_frames", "camera", "preview_every_step"})
WHY_NOT: Mapping[str, str] = {
    "shots": "This model makes one shot at a time. The Storyboard puts several together.",
    "strength": "This model makes all frames at once, none from the one before.",
    "wander": "This model makes all frames at once, none from the one before.",
    "image": "This model begins with words alone. Choose one that begins with a picture.",
    "last_image": "This model can't be told where to end.",
    "video": "This model begins with a picture at most; “Go on” under Edit takes that of a clip's end.",
    "action": "This is no world model; those stand under World.",
    "step_cache": "diffusers has no such cache for this kind of model.",
}
_GUIDED = {"negative_prompt": "This model takes none.", "guidance_scale": "This model has its guidance built in."}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A row of video.toml, which says what each means."""

    step: int
    usual: int
    most: int
    multiple: int
    fps: float
    follows: frozenset[str]
    frames: str = "num_frames"
    rate: str = ""
    layout: str = ""
    image: str = ""
    last: bool = False
    with_image: str = ""
    conditions: bool = False
    cached: bool = False
    walked: bool = False
    alone: bool = False
    silent: bool = False
    billions: float = 0.0

    @property
    def parameters(self) -> frozenset[str]:
        """The fields of a request that it follows."""
        pictures = {"image"} if self.image or self.with_image else set()
        more = {name for name, there in self._optional if there}
        return ALWAYS | self.follows | pictures | more

    @property
    def _optional(self) -> tuple[tuple[str, bool], ...]:
        return (("last_image", self.last), ("step_cache", self.cached), ("action", self.walked))

    @property
    def why_not(self) -> Mapping[str, str]:
        """Why it doesn't follow the others."""
        return {name: why for name, why in {**WHY_NOT, **_GUIDED}.items() if name not in self.parameters}

    def capabilities(self, refused: Mapping[str, str]) -> Capabilities:
        """What it honours, without the settings that a model has no use for, with the reasons: `refused`."""
        return Capabilities(
            parameters=self.parameters - set(refused),
            why_not={**self.why_not, **refused},
            seed="exact",
            images=True,
            clips=self.clips,
        )

    @property
    def clips(self) -> Clips:
        """The clips that it makes."""
        return Clips(frames=self.usual, most=self.most, step=self.step, fps=self.fps)

    def count(self, request: VideoRequest) -> int:
        """How many frames: those asked for, moved to the next number that the model makes.

        Raises `InvalidRequest` for more than it makes.
        """
        asked = request.frames(self.usual, self.fps)
        if request.action is not None and self.walked:  # a frame after each that a key is held, and the first
            asked = 1 + sum(int(part.rpartition("-")[2]) for part in request.action.split(","))
        if asked > self.most:
            seconds = self.most / (request.fps or self.fps)
            raise InvalidRequest(
                f"This model makes at most {self.most} frames at once, {seconds:.1f} seconds; {asked} are asked for. "
                "Make it shorter, and go on from its end."
            )
        return min(self.most, max(1, round((asked - 1) / self.step) * self.step + 1))

    def check_size(self, request: VideoRequest) -> None:
        """Raise `InvalidRequest` for a size that the model's blocks don't fit, naming the nearest that do."""
        for name in ("width", "height"):
            value = getattr(request, name)
            if value is not None and value % self.multiple:
                near = max(self.multiple, value // self.multiple * self.multiple)
                raise InvalidRequest(
                    f"The {name} must be a multiple of {self.multiple}, such as {near} or {near + self.multiple}."
                )


@cache
def kinds() -> Mapping[str, Kind]:
    """The pipelines by their classes' names."""
    rows = tomllib.loads(Path(__file__).with_name("video.toml").read_text(encoding="utf-8"))
    return {name: Kind(**{**row, "follows": frozenset(row["follows"])}) for name, row in rows.items()}


def named_in(repo_id: str) -> str | None:
    """The class that a folder of this machine names in its index; None where there is none to be read."""
    if not is_path(repo_id):
        return None
    try:
        index = json.loads((Path(repo_id).expanduser() / "model_index.json").read_text(encoding="utf-8"))
        return str(index["_class_name"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def kind_of(pipe: Any, called: str) -> Kind:
    """The kind of a loaded pipeline. Raises `BackendError` for one that makes no clips, or isn't known here."""
    name = type(pipe).__name__
    for base in type(pipe).__mro__:
        if base.__name__ in kinds():
            return kinds()[base.__name__]
    raise BackendError(f"{called} is a {name}. Those that make clips here: {', '.join(kinds())}.")
