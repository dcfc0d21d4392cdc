"""What the backends that draw share: the pieces of a drawing, and how they become pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from shared.backends.base import Outcome, Usage
from shared.backends.hosted.account import Account
from shared.backends.hosted.drawing import DrawingProfile
from shared.backends.hosted.frame import Gathering, HostedCall, HostedFrame
from shared.backends.hosted.limits import MAX_REPLY
from shared.backends.hosted.own_pixels import with_own_pixels
from shared.backends.hosted.pictures import shown, size_of
from shared.backends.hosted.redaction import redact
from shared.backends.hosted.sizes import Size
from shared.backends.hosted.usage import added
from shared.errors import Cancelled, InferenceError, InvalidRequest
from shared.events import Preview, Progress
from shared.image.outpainting import beyond
from shared.outputs import FinishReason, ImageOutput
from shared.requests import ImagePart, ImageRequest, Request

if TYPE_CHECKING:
    from shared.settings import Settings
    from shared.streaming import Emit


@dataclass(frozen=True, kw_only=True)
class ImagePiece:
    """What one event told. `picture`: a whole one. `preview`: the file of one after `step` of `total`."""

    picture: ImagePart | None = None
    seed: int | None = None
    preview: bytes | None = None
    words: str = ""  # what a model said beside its picture, or instead of it
    progress: str = ""
    step: int | None = None
    total: int | None = None
    usage: Usage | None = None
    finish: FinishReason | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ImageCall(HostedCall[ImageRequest, DrawingProfile]):
    """One drawing as a provider's dialect needs it."""

    @property
    def count(self) -> int:
        """How many pictures are wanted."""
        return self.request.num_images_per_prompt or 1

    @property
    def size(self) -> Size | None:
        """What to ask for, or None for the model's own size."""
        return self.profile.size(self.request.width, self.request.height)

    def seed(self, number: int) -> int | None:
        """The seed of the picture of that number, counted from 0."""
        return self.request.seed_of(number)


class HostedImages(HostedFrame[ImageRequest, DrawingProfile, ImagePiece]):
    """The frame for drawing: a provider's backend adds its account, its profiles and how its answers read."""

    call_class: ClassVar[Any] = ImageCall
    largest_reply: ClassVar[int | None] = MAX_REPLY

    def patience(self, settings: Settings) -> float | None:
        """A picture is silent for longer than text."""
        return settings.picture_timeout

    def gather(
        self, account: Account, profile: DrawingProfile, request: ImageRequest, emit: Emit
    ) -> Gathering[ImagePiece]:
        """Pictures and previews. Says so beforehand where another size is drawn than the one asked."""
        size = profile.size(request.width, request.height)
        if size and (request.width or size.width, request.height or size.height) != (size.width, size.height):
            emit(Progress(f"{account.name} offers {size.width} × {size.height} as the nearest size"))
        return _Pictures(account.name, request, emit)

    def possible(
        self, account: Account, profile: DrawingProfile, request: Request
    ) -> tuple[ImageRequest, dict[str, str]]:
        """Raises `InvalidRequest` for a picture or mask that is not taken, or a value too high."""
        assert isinstance(request, ImageRequest)
        for name, most in profile.limits.items():
            if (getattr(request, name) or 0) > most:
                raise InvalidRequest(f"{account.name} takes {name} up to {most:g}. Lower it.")
        if request.image is not None and not profile.edits:
            raise InvalidRequest("This model draws from words alone. Take the picture away, or choose another model.")
        if request.mask_image is not None and not profile.masks:
            raise InvalidRequest("This model takes no mask. Take the mask away, or choose another model.")
        request, _ = beyond(request, profile.room)
        if request.strength is not None and request.image is None:
            return replace(request, strength=None), {"strength": "There is no picture to keep anything of."}
        return request, {}


class _Pictures(Gathering[ImagePiece]):
    """The pictures of one run."""

    def __init__(self, provider: str, request: ImageRequest, emit: Emit) -> None:
        self._provider, self._request, self._emit = provider, request, emit
        self._wanted = request.num_images_per_prompt or 1
        self._pictures: list[ImagePart] = []
        self._seeds: list[int] = []
        self._usage: Usage | None = None
        self._facts: dict[str, Any] = {}
        self._words = ""
        self._shown = False

    @property
    def began(self) -> bool:
        """Whether anything was shown."""
        return self._shown

    def add(self, piece: ImagePiece) -> None:
        """Take one in."""
        self.finish = piece.finish or self.finish
        self._facts.update(piece.facts)
        self._words += piece.words
        if piece.usage is not None:
            self._usage = added(self._usage, piece.usage)
        if piece.progress:
            self._emit(Progress(piece.progress, piece.step, piece.total))
        if piece.picture is not None:
            self._pictures.append(piece.picture)
            self._seeds += [] if piece.seed is None else [piece.seed]
        more = len(self._pictures) < self._wanted and self.finish is None
        if (data := piece.preview or (piece.picture.data if piece.picture and more else None)) is not None:
            self._show(data, piece)

    def _show(self, data: bytes, piece: ImagePiece) -> None:
        if (image := shown(data)) is not None:
            self._shown = True
            self._emit(Preview(image, piece.step, piece.total))

    def problem(self, provider: str) -> InferenceError | None:
        """An answer without any picture."""
        if self._pictures:
            return None
        said = f" The model said: “{redact(self._words)}”" if self._words.strip() else ""
        return InvalidRequest(
            f"{provider} answered without a picture.{said} "
            "Say in the prompt what the picture should show, and try again."
        )

    def outcome(self, facts: Mapping[str, Any]) -> Outcome:
        """The pictures, with what was drawn otherwise than asked."""
        laid = [with_own_pixels(self._request, picture) for picture in self._pictures]
        self._pictures = [picture for picture, _ in laid]
        width, height = size_of(self._pictures[0])
        left = {**self._facts.get("unhonoured", {}), **facts.get("unhonoured", {})}
        unhonoured = {**left, **self._otherwise(width, height)}
        notes = tuple(dict.fromkeys(words for _, said in laid for words in said))
        about = {**self._facts, **facts, "width": width, "height": height, "notes": notes}
        return self._made(about | ({"unhonoured": unhonoured} if unhonoured else {}), self.finish or "stop")

    def rescued(self, error: BaseException) -> Outcome | None:
        """Pictures that are whole, and perhaps paid for, outlive a stop and the failure of a later one."""
        if not self._pictures or not isinstance(error, InferenceError | Cancelled):
            return None
        why = "it was stopped." if isinstance(error, Cancelled) else str(error)
        left = {"num_images_per_prompt": f"{len(self._pictures)} of {self._wanted} were drawn: {why}"}
        self.finish = "stopped" if isinstance(error, Cancelled) else "cut"
        return self.outcome({"unhonoured": left})

    def _made(self, facts: Mapping[str, Any], finish: FinishReason) -> Outcome:
        output = ImageOutput(images=tuple(self._pictures), seeds=tuple(self._seeds), finish_reason=finish)
        return Outcome(output=output, usage=self._usage or Usage(), facts=facts)

    def _otherwise(self, width: int, height: int) -> dict[str, str]:
        """The sides that came out otherwise than asked."""
        asked = {"width": (self._request.width, width), "height": (self._request.height, height)}
        return {
            name: f"{self._provider} doesn't offer the size asked ({wish} pixels here); it drew {width} × {height}."
            for name, (wish, drawn) in asked.items()
            if wish not in {None, drawn}
        }
