"""Speech and music, and how they are to sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shared.errors import InvalidRequest
from shared.requests.base import Request, within
from shared.requests.recording import Recording
from shared.requests.voice import Reference
from shared.tasks import Task

if TYPE_CHECKING:
    from shared.music.piece import Piece


@dataclass(frozen=True, kw_only=True)
class SpeechRequest(Request):
    """A text to be spoken. Names are those of OpenAI's speech API and of `InferenceClient.text_to_speech`.

    `voice` is the engine's own name for one. `speed`: 1 is the voice's usual pace, 2 twice as fast. `language`: a
    BCP 47 tag, such as `en` or `pt-BR`. `instructions`: how to speak, in words, for engines that read them.
    `speakers` gives a voice to each name of a script: where a line of the text begins with `Name:`, that voice
    speaks, and the name itself is not spoken. `reference`: a recording whose voice is imitated; it goes before
    `voice`, stays out of every file and receipt, and is refused without its person's consent.
    """

    text: str
    voice: str | None = None
    speed: float | None = None
    language: str | None = None
    instructions: str | None = None
    speakers: tuple[tuple[str, str], ...] = ()
    temperature: float | None = None
    guidance_scale: float | None = None
    reference: Reference | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"text", "reference"})
    WORDS: ClassVar[frozenset[str]] = frozenset({"instructions", "speakers"})
    KEPT_BACK: ClassVar[frozenset[str]] = frozenset({"reference"})
    TASK: ClassVar[Task] = Task.TEXT_TO_SPEECH
    ESSENTIAL: ClassVar[Mapping[str, str]] = {"reference": "imitate the voice of a recording"}

    def validate(self) -> None:
        """Raise `InvalidRequest` for an empty text, a voice without a name or a value out of range."""
        super().validate()
        if not self.text.strip():
            raise InvalidRequest("The text is empty. Write what should be said.")
        if not all(name.strip() and voice.strip() for name, voice in self.speakers):
            raise InvalidRequest("Each speaker needs a name and a voice, for example Ann: heart.")
        if self.reference is not None:
            self.reference.validate()
            if self.speakers:
                raise InvalidRequest("A recording's voice reads all of a text. Clear the speakers, or the recording.")
        within("speed", self.speed, 0.25, 4.0)
        within("temperature", self.temperature, 0.0, 2.0)
        within("guidance_scale", self.guidance_scale, 0.0, 50.0)

    def idle(self) -> dict[str, str]:
        """A voice by name, where a recording's is imitated."""
        told = "The voice of the recording is imitated instead."
        return {"voice": told} if self.reference is not None and self.voice is not None else {}

    def texts(self) -> tuple[str, ...]:
        """What is said, and how."""
        return (self.text, self.instructions or "")


@dataclass(frozen=True, kw_only=True)
class AudioRequest(Request):
    """Music or sounds to be made from words. `duration` in seconds. The other names are diffusers'."""

    prompt: str
    duration: float | None = None
    negative_prompt: str | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"prompt"})
    WORDS: ClassVar[frozenset[str]] = frozenset({"negative_prompt"})
    EXAMPLE: ClassVar[str] = ""

    def validate(self) -> None:
        """Raise `InvalidRequest` for an empty prompt or a value out of range."""
        super().validate()
        if not self.prompt.strip():
            raise InvalidRequest(f"The prompt is empty. Write what it should be, for example: {self.EXAMPLE}.")
        within("duration", self.duration, 0.5, 600)
        within("num_inference_steps", self.num_inference_steps, 1, 1000)
        within("guidance_scale", self.guidance_scale, 0.0, 50.0)

    def texts(self) -> tuple[str, ...]:
        """What it should be, and what not."""
        return (self.prompt, self.negative_prompt or "")


@dataclass(frozen=True, kw_only=True)
class MusicRequest(AudioRequest):
    """Music to be made from words.

    For engines that write notes: `bars`, how long; `top_logprobs`, how many likeliest notes to tell at each place;
    `beginning`, bars to go on from, which count among `bars`, and whose key, metre and voices go before what the
    prompt says. For engines that make sound: `melody`, a recording whose tune is followed; `lead_in`, one that the
    music goes on from, which comes before `duration`. Neither is written into a file.
    """

    bars: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    beginning: Piece | None = None
    melody: Recording | None = None
    lead_in: Recording | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"prompt", "beginning", "melody", "lead_in"})
    KEPT_BACK: ClassVar[frozenset[str]] = frozenset({"melody", "lead_in"})
    TASK: ClassVar[Task] = Task.TEXT_TO_AUDIO
    ESSENTIAL: ClassVar[Mapping[str, str]] = {
        "beginning": "go on from written notes",
        "melody": "follow the tune of a recording",
        "lead_in": "go on from a recording",
    }
    EXAMPLE: ClassVar[str] = "a fast jig in G"

    def validate(self) -> None:
        """Raise `InvalidRequest` for an empty prompt or a value out of range."""
        super().validate()
        within("bars", self.bars, 1, 512)
        within("temperature", self.temperature, 0.0, 2.0)
        within("top_p", self.top_p, 0.0, 1.0)
        within("top_logprobs", self.top_logprobs, 1, 20)


@dataclass(frozen=True, kw_only=True)
class SoundRequest(AudioRequest):
    """A sound to be made from words: of a thing, a place, an event."""

    TASK: ClassVar[Task] = Task.TEXT_TO_SOUND
    EXAMPLE: ClassVar[str] = "rain on a tin roof"
