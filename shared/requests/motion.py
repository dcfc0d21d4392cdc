"""A motion, and how it is to be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import InvalidRequest
from shared.requests.base import Request, within
from shared.tasks import Task


@dataclass(frozen=True, kw_only=True)
class MotionRequest(Request):
    """A skeleton's motion to be made from words, `duration` in seconds. The other settings are diffusers'."""

    prompt: str
    duration: float | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"prompt"})
    TASK: ClassVar[Task] = Task.TEXT_TO_MOTION

    def validate(self) -> None:
        """Raise `InvalidRequest` where there are no words, or for a value out of range."""
        super().validate()
        if not self.prompt.strip():
            raise InvalidRequest("There is nothing to move to. Write what the person does.")
        within("duration", self.duration, 0.5, 60.0)
        within("num_inference_steps", self.num_inference_steps, 1, 1000)
        within("guidance_scale", self.guidance_scale, 0.0, 20.0)

    def texts(self) -> tuple[str, ...]:
        """What the person does."""
        return (self.prompt,)
