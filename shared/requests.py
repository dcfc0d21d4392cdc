"""What a person asks of a model. A field left None means "the model's own default".

Field names are those of `huggingface_hub.InferenceClient` and, where it has none, of transformers.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from shared.errors import InvalidRequest
from shared.tasks import Task

Role = Literal["user", "assistant"]
MOST_SEED = 2**32  # how many seeds there are
MOST_OUTPAINT = 4.0  # times the picture's own side, on each of its sides


@dataclass(frozen=True, kw_only=True)
class Request:
    """Base of every request. `seed`: 0 to 2**32 - 1; None draws one, which the receipt then names."""

    seed: int | None = None

    # Fields that carry the work itself; every other field is a setting that an engine may not honour.
    CONTENT: ClassVar[frozenset[str]] = frozenset()
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

    def implied(self, parameters: Collection[str]) -> dict[str, Any]:
        """Values that follow from what was asked, for fields of `parameters` that were left open."""
        return {}

    def idle(self) -> dict[str, str]:
        """Settings that were given and have no effect in this request, and why."""
        return {}

    def validate(self) -> None:
        """Raise `InvalidRequest` where a value is outside what any engine could take."""
        _within("seed", self.seed, 0, MOST_SEED - 1)

    def texts(self) -> tuple[str, ...]:
        """What a person wrote, each of which a server limits in length."""
        return ()


@dataclass(frozen=True)
class ImagePart:
    """A picture in a message: encoded bytes and their media type, for example `image/png`."""

    data: bytes
    media_type: str


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str
    images: tuple[ImagePart, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChatRequest(Request):
    """A conversation to be continued by the assistant.

    `response_format` is OpenAI's and InferenceClient's:
    `{"type": "json_schema", "json_schema": {"name": ..., "schema": {...}}}`, or `{"type": "json_object"}`.
    `grammar` is llama.cpp's GBNF. `top_logprobs` asks for that many alternatives a token (1 to 20).
    `prefill` begins the assistant's answer, which the engine then continues.
    `overflow`: what to do when the conversation is longer than the model reads.
    """

    messages: tuple[Message, ...]
    system: str | None = None
    prefill: str | None = None
    overflow: Literal["error", "trim"] = "error"
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    top_logprobs: int | None = None
    response_format: dict[str, Any] | None = None
    grammar: str | None = None
    reasoning_effort: Literal["none", "low", "medium", "high"] | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"messages", "system", "overflow"})

    def validate(self) -> None:
        """Raise `InvalidRequest` for an empty conversation or a value out of range."""
        super().validate()
        if not self.messages or self.messages[-1].role != "user":
            raise InvalidRequest("The last message must be yours: write something to answer.")
        last = self.messages[-1]
        if not last.content.strip() and not last.images:
            raise InvalidRequest("The message is empty. Write something first.")
        _within("temperature", self.temperature, 0.0, 2.0)
        _within("top_p", self.top_p, 0.0, 1.0)
        _within("top_k", self.top_k, 0, 1000)
        _within("repetition_penalty", self.repetition_penalty, 0.5, 2.0)
        _within("max_tokens", self.max_tokens, 1, 1_000_000)
        _within("top_logprobs", self.top_logprobs, 1, 20)
        if self.response_format is not None and self.grammar is not None:
            raise InvalidRequest("Give either a JSON schema or a grammar, not both.")

    def texts(self) -> tuple[str, ...]:
        """The messages, the system prompt and the beginning of the answer."""
        return (*(message.content for message in self.messages), self.system or "", self.prefill or "")


@dataclass(frozen=True, kw_only=True)
class ImageRequest(Request):
    """A picture to be drawn from words, or from words and a picture. Names are diffusers'.

    `width` and `height` in pixels. `num_images_per_prompt`: how many, each with a seed of its own, one after the other
    from `seed`. `scheduler`: the name of a diffusers scheduler class. `image` is what to start from, and `strength`
    how far to go from it (0 keeps it, 1 forgets it); `mask_image` is white where it is to be drawn anew.
    `outpaint` draws more around `image`: on the left, top, right and bottom, as shares of its width or height. Without
    a size the picture keeps its own as far as the engine can; with one it is enlarged to that shape and scaled to it.
    `variation_strength` moves the noise from that of `seed` (0) to that of `variation_seed` (1). Several pictures are
    then variations of one: their seed stays, and the variation seed goes on. A1111 calls these two the subseed's.
    `preview_every_step` asks for a preview after each step, for those who study them; otherwise previews come as
    often as a screen can show them. `blend` mixes in another prompt, `blend_prompt`: 0 leaves it out, 1 reads it alone.
    `keep_attention` asks for the output's `attention`.
    """

    prompt: str
    image: ImagePart | None = None
    mask_image: ImagePart | None = None
    negative_prompt: str | None = None
    width: int | None = None
    height: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    scheduler: str | None = None
    strength: float | None = None
    outpaint: tuple[float, float, float, float] | None = None
    num_images_per_prompt: int | None = None
    variation_seed: int | None = None
    variation_strength: float | None = None
    preview_every_step: bool | None = None
    blend_prompt: str | None = None
    blend: float | None = None
    keep_attention: bool | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"prompt", "blend_prompt", "image", "mask_image"})
    TASK: ClassVar[Task] = Task.TEXT_TO_IMAGE
    ESSENTIAL: ClassVar[Mapping[str, str]] = {"outpaint": "draw beyond a picture's edges"}

    def validate(self) -> None:
        """Raise `InvalidRequest` for an empty prompt or a value out of range."""
        super().validate()
        if not self.prompt.strip():
            raise InvalidRequest("The prompt is empty. Write what the picture should show.")
        if self.mask_image is not None and self.image is None:
            raise InvalidRequest("A mask needs the picture that it lies on. Give that picture too.")
        if self.outpaint is not None and self.image is None:
            raise InvalidRequest("To draw beyond a picture's edges, give that picture too.")
        if self.outpaint is not None and len(self.outpaint) != 4:
            raise InvalidRequest("outpaint has four parts: left, top, right and bottom. Give 0 where nothing is added.")
        for side in self.outpaint or ():
            _within("Each part of outpaint", side, 0.0, MOST_OUTPAINT)
        _within("width", self.width, 16, 4096)
        _within("height", self.height, 16, 4096)
        _within("num_inference_steps", self.num_inference_steps, 1, 200)
        _within("guidance_scale", self.guidance_scale, 0.0, 50.0)
        _within("strength", self.strength, 0.0, 1.0)
        _within("num_images_per_prompt", self.num_images_per_prompt, 1, 16)
        _within("variation_seed", self.variation_seed, 0, MOST_SEED - 1)
        _within("variation_strength", self.variation_strength, 0.0, 1.0)
        _within("blend", self.blend, 0.0, 1.0)

    def implied(self, parameters: Collection[str]) -> dict[str, Any]:
        """A variation seed is drawn, so that the run can be repeated; what lies beyond a picture's edge is all new."""
        found: dict[str, Any] = {}
        if self.variation_strength and self.variation_seed is None and "variation_seed" in parameters:
            found["variation_seed"] = secrets.randbelow(2**31)
        if self.outpaint is not None and self.strength is None and "strength" in parameters:
            found["strength"] = 1.0
        return found

    @property
    def derived(self) -> frozenset[str]:
        """The size of a picture that is drawn beyond its edges."""
        return frozenset() if self.outpaint is None else frozenset({"width", "height"})

    def idle(self) -> dict[str, str]:
        """A variation seed without a strength."""
        if self.variation_seed is not None and self.variation_strength is None:
            return {"variation_seed": "It counts only with a variation strength."}
        return {}

    def seed_of(self, number: int) -> int | None:
        """The seed of the picture of that number, counted from 0."""
        return self.seed if self.variation_strength else _counted(self.seed, number)

    def variation_seed_of(self, number: int) -> int | None:
        """The variation seed of the picture of that number; None where it counts for nothing."""
        return _counted(self.variation_seed, number) if self.variation_strength else None

    def texts(self) -> tuple[str, ...]:
        """What the picture should show, and what not."""
        return (self.prompt, self.negative_prompt or "", self.blend_prompt or "")


@dataclass(frozen=True, kw_only=True)
class SpeechRequest(Request):
    """A text to be spoken. Names are those of OpenAI's speech API and of `InferenceClient.text_to_speech`.

    `voice` is the engine's own name for one. `speed`: 1 is the voice's usual pace, 2 twice as fast. `language`: a
    BCP 47 tag, such as `en` or `pt-BR`. `instructions`: how to speak, in words, for engines that read them.
    `speakers` gives a voice to each name of a script: where a line of the text begins with `Name:`, that voice
    speaks, and the name itself is not spoken.
    """

    text: str
    voice: str | None = None
    speed: float | None = None
    language: str | None = None
    instructions: str | None = None
    speakers: tuple[tuple[str, str], ...] = ()
    temperature: float | None = None
    guidance_scale: float | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"text"})
    TASK: ClassVar[Task] = Task.TEXT_TO_SPEECH

    def validate(self) -> None:
        """Raise `InvalidRequest` for an empty text, a voice without a name or a value out of range."""
        super().validate()
        if not self.text.strip():
            raise InvalidRequest("The text is empty. Write what should be said.")
        if not all(name.strip() and voice.strip() for name, voice in self.speakers):
            raise InvalidRequest("Each speaker needs a name and a voice, for example Ann: heart.")
        _within("speed", self.speed, 0.25, 4.0)
        _within("temperature", self.temperature, 0.0, 2.0)
        _within("guidance_scale", self.guidance_scale, 0.0, 50.0)

    def texts(self) -> tuple[str, ...]:
        """What is said, and how."""
        return (self.text, self.instructions or "")


@dataclass(frozen=True, kw_only=True)
class MusicRequest(Request):
    """Music to be made from words. `bars`: how long, for engines that write notes; `duration` in seconds, for all."""

    prompt: str
    bars: int | None = None
    duration: float | None = None
    temperature: float | None = None
    top_p: float | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"prompt"})
    TASK: ClassVar[Task] = Task.TEXT_TO_AUDIO

    def validate(self) -> None:
        """Raise `InvalidRequest` for an empty prompt or a value out of range."""
        super().validate()
        if not self.prompt.strip():
            raise InvalidRequest("The prompt is empty. Write what the music should be, for example: a fast jig in G.")
        _within("bars", self.bars, 1, 512)
        _within("duration", self.duration, 0.5, 600)
        _within("temperature", self.temperature, 0.0, 2.0)
        _within("top_p", self.top_p, 0.0, 1.0)

    def texts(self) -> tuple[str, ...]:
        """What the music should be."""
        return (self.prompt,)


def _within(name: str, value: float | None, low: float, high: float) -> None:
    """NaN fails every comparison, so it is refused here too."""
    if value is not None and not low <= value <= high:
        raise InvalidRequest(f"{name} must be between {low:g} and {high:g}; it is {value:g}.")


def _counted(seed: int | None, number: int) -> int | None:
    return None if seed is None else (seed + number) % MOST_SEED
