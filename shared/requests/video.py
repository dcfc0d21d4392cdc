"""A clip, and how it is to move."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shared.errors import InvalidRequest
from shared.requests.base import ClipPart, ImagePart, Request, within
from shared.tasks import Task
from shared.video.camera import camera

MOST_SECONDS = 60.0
MOST_FRAMES = 960
MOST_FPS = 60.0
MOST_SHOTS = 12
_ACTION = re.compile(r"(?:none|[wasdijkl]{1,8})-[1-9]\d{0,2}(?:,(?:none|[wasdijkl]{1,8})-[1-9]\d{0,2}){0,40}")


@dataclass(frozen=True, kw_only=True)
class Shot:
    """What is to be seen from a moment on. `start` in seconds of the clip."""

    start: float
    prompt: str


@dataclass(frozen=True, kw_only=True)
class VideoRequest(Request):
    """A clip to be made from words, or from words and pictures. Names are diffusers' where it has one.

    `duration` in seconds at `fps` frames a second, or `num_frames`, which goes before it. `width`, `height` in pixels.
    `image` is the first picture and `last_image` the last; `video` is a clip to be gone on from.
    `shots`: what the clip comes to after `prompt`, each from a
    moment of its own. `camera`: a name of `shared/video/camera.toml`, what the camera does.
    `strength`: for engines that draw each frame from the one before, how much of it is drawn anew (0 to 1).
    `wander`: for the same, how far the noise goes on its way through the clip (0: it stands still, 1: to another's).
    `step_cache`: how alike two steps must be for most of the second to be taken from the first: the threshold of
    diffusers' first-block cache, 0 for none. Quicker, and another clip.
    `action`: for world models, the keys that are held and for how many frames, as in `w-40,jw-20`: w, a, s, d walk
    forwards, left, back, right, and i, j, k, l look up, left, down, right; `none-8` stands still.
    `preview_every_step` asks for a preview after each step, for those who study them.
    """

    prompt: str
    negative_prompt: str | None = None
    image: ImagePart | None = None
    last_image: ImagePart | None = None
    video: ClipPart | None = None
    shots: tuple[Shot, ...] = ()
    camera: str | None = None
    duration: float | None = None
    fps: float | None = None
    num_frames: int | None = None
    width: int | None = None
    height: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    strength: float | None = None
    wander: float | None = None
    step_cache: float | None = None
    action: str | None = None
    preview_every_step: bool | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"prompt", "image", "last_image", "video"})
    WORDS: ClassVar[frozenset[str]] = frozenset({"negative_prompt", "shots"})
    TASK: ClassVar[Task] = Task.TEXT_TO_VIDEO
    ESSENTIAL: ClassVar[Mapping[str, str]] = {
        "image": "begin with a picture",
        "last_image": "end with a picture",
        "video": "go on from a clip",
        "shots": "come to another shot",
        "action": "be walked through",
    }

    @property
    def derived(self) -> frozenset[str]:
        """How many frames, where a duration was asked for, and the other way round."""
        counted = {"num_frames"} if self.duration is not None else set()
        return frozenset(counted | ({"duration"} if self.num_frames is not None else set()))

    @property
    def overruled(self) -> frozenset[str]:
        """The duration, where a number of frames was asked for."""
        return frozenset({"duration"}) if self.num_frames is not None else frozenset()

    def validate(self) -> None:
        """Raise `InvalidRequest` for an empty prompt, a camera that isn't there, or a value out of range."""
        super().validate()
        if not self.prompt.strip():
            raise InvalidRequest("The prompt is empty. Write what the clip should show.")
        if len(self.shots) > MOST_SHOTS:
            raise InvalidRequest(f"There are {len(self.shots)} shots; at most {MOST_SHOTS} go. Take some away.")
        starts = [shot.start for shot in self.shots]
        if any(not shot.prompt.strip() for shot in self.shots):
            raise InvalidRequest("A shot is empty. Write what it should show, or take it away.")
        if starts != sorted(set(starts)) or any(not 0 < start <= MOST_SECONDS for start in starts):
            raise InvalidRequest("Each shot must start later than the one before it, and the first after 0 seconds.")
        camera(self.camera)
        within("duration", self.duration, 0.1, MOST_SECONDS)
        within("fps", self.fps, 1, MOST_FPS)
        within("num_frames", self.num_frames, 1, MOST_FRAMES)
        within("width", self.width, 16, 4096)
        within("height", self.height, 16, 4096)
        within("num_inference_steps", self.num_inference_steps, 1, 200)
        within("guidance_scale", self.guidance_scale, 0.0, 50.0)
        within("strength", self.strength, 0.0, 1.0)
        within("wander", self.wander, 0.0, 1.0)
        if self.action is not None and not _ACTION.fullmatch(self.action):
            raise InvalidRequest(
                "An action is keys (w a s d walk, i j k l look) and how many frames each is held, as in w-40,jw-20; "
                "none-8 stands still."
            )
        within("step_cache", self.step_cache, 0.0, 1.0)

    def texts(self) -> tuple[str, ...]:
        """What the clip should show, and what not."""
        return (self.prompt, self.negative_prompt or "", *(shot.prompt for shot in self.shots))

    def frames(self, usual: int, fps: float) -> int:
        """How many frames are asked for. `usual`: where nobody says; `fps`: that of the engine, for the duration."""
        if self.num_frames is not None:
            return self.num_frames
        return usual if self.duration is None else max(1, round(self.duration * (self.fps or fps)))
