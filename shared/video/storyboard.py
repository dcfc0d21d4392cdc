"""A storyboard: what its shots are to be, and the film that they make together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from shared.errors import InvalidRequest
from shared.outputs import VideoOutput
from shared.receipts import Receipt, Seconds
from shared.requests import ImagePart, Shot, VideoRequest
from shared.requests.video import MOST_SHOTS
from shared.tasks import Mode
from shared.video.filming import Filming
from shared.video.joining import join
from shared.video.reading import measure


@dataclass(frozen=True, kw_only=True)
class Board:
    """`lines`: what each shot shows. `model`, `mode`, `variant` (a `Variant.key`, "" for any): by what.

    `settings`: the request's fields that all shots have. `transition`: a name of `TRANSITIONS`. `chained`: each shot
    begins with the last picture of the one before.
    """

    lines: tuple[str, ...]
    model: str
    mode: str
    variant: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    transition: str = "fade"
    chained: bool = False

    def __post_init__(self) -> None:
        if not 0 < len(self.lines) <= MOST_SHOTS:
            raise InvalidRequest(f"Write 1 to {MOST_SHOTS} shots, one a line; there are {len(self.lines)}.")

    @property
    def where(self) -> dict[str, Any]:
        """The choice of an engine, as `Engine.generate` takes it."""
        return {"mode": Mode(self.mode), "variant": self.variant or None}

    def request(self, number: int, image: ImagePart | None = None) -> VideoRequest:
        """What that shot is asked for, beginning with the picture if there is one."""
        return VideoRequest(prompt=self.lines[number], image=image, **self.settings)

    def to_dict(self) -> dict[str, Any]:
        """In JSON's types."""
        return {**asdict(self), "lines": list(self.lines), "settings": dict(self.settings)}

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> Board:
        """The same again."""
        return cls(**{**written, "lines": tuple(written["lines"])})


@dataclass(frozen=True, kw_only=True)
class Film:
    """The shots that came, as one clip: `request` says which they were and when each begins."""

    output: VideoOutput
    receipt: Receipt
    request: VideoRequest


def film(board: Board, shots: Sequence[tuple[str, bytes, Receipt]]) -> Film:
    """Join shots: the words of each, its file and its receipt. Raises `InvalidRequest` where they are too long."""
    joined = join([data for _, data, _ in shots], board.transition)
    output = measured(joined.video)
    first, *later = [words for words, _, _ in shots]
    starts = zip(joined.starts[1:], later, strict=True)
    request = VideoRequest(
        prompt=first, shots=tuple(Shot(start=round(start, 3), prompt=words) for start, words in starts)
    )
    kept = {name: value for name, value in board.settings.items() if name not in ("duration", "num_frames")}
    request = replace(request, duration=round(output.seconds, 2) or None, **kept)
    return Film(output=output, receipt=_receipt([receipt for *_, receipt in shots]), request=request)


def measured(film: bytes) -> VideoOutput:
    """The film with what its file says of itself."""
    known = measure(film)
    return VideoOutput(video=film, width=known.width, height=known.height, num_frames=known.num_frames, fps=known.fps)


def _receipt(shots: Sequence[Receipt]) -> Receipt:
    """One for the whole: what all cost and took together."""
    costs = [receipt.cost_usd for receipt in shots]
    known = [cost for cost in costs if cost is not None]
    whole = len(known) == len(costs)
    words = f"{len(shots)} shots were made, each by itself, and joined."
    notes = dict.fromkeys(note for receipt in shots for note in receipt.notes)
    return replace(
        shots[0],
        cost_usd=round(sum(known), 4) if whole else None,
        cost_note=f"{len(shots)} shots together; {shots[0].cost_note}" if whole else shots[0].cost_note,
        seconds=Seconds(
            queue=sum(receipt.seconds.queue for receipt in shots),
            load=sum(receipt.seconds.load for receipt in shots),
            total=sum(receipt.seconds.total for receipt in shots),
        ),
        notes=(words, *notes),
        finish_reason="stop",
    )


def told(clip: Filming) -> str:
    """How far a shot is, in a few words."""
    if clip.error:
        return str(clip.error)
    if clip.finish_reason == "stopped":
        return "stopped"
    return "made" if clip.output is not None and clip.output.video else clip.status or "waiting"
