"""From a conversation to what a transformers model reads: its own chat template, or a plain form of ours."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.backends.local.thinking import FAMILIES, THINK, Marks
from shared.errors import InvalidRequest
from shared.requests import ChatRequest

# Models without a chat template read the conversation in this form, and stop where the person would speak.
PLAIN_ROLES = {"user": "User", "assistant": "Assistant"}
PLAIN_STOP = "\nUser:"
TAIL = 4  # tokens of the prompt that the decoding of the answer looks back on


@dataclass(frozen=True)
class Prompt:
    """`inputs` for `generate` (batch of one), the prompt's tokens, its last ids, and what ends the answer."""

    inputs: Mapping[str, Any]
    length: int
    tail: tuple[int, ...]
    inside_thinking: bool = False
    stop: tuple[str, ...] = ()


class Prompter:
    """Encodes requests for one model. `processor` is the tokenizer itself, or holds it beside an image processor.

    `switch` names how the template takes reasoning effort: `enable_thinking` (on or off) or `reasoning_effort`.
    """

    def __init__(self, processor: Any, *, encoder_decoder: bool = False, switch: str | None = None) -> None:
        self.processor, self._encoder_decoder, self._switch = processor, encoder_decoder, switch
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self._template = processor if getattr(processor, "chat_template", None) else self.tokenizer
        self.has_template = bool(self._template.chat_template)
        self.marks = _marks(self.tokenizer)

    def encode(self, request: ChatRequest) -> Prompt:
        """The prompt, on the CPU. Raises `InvalidRequest` where the model's template refuses the conversation."""
        text = self.render(request)
        images = [_open(part.data) for message in request.messages for part in message.images]
        inputs = self._tokens(text, images)
        ids = inputs["input_ids"][0].tolist()
        if self._encoder_decoder:
            return Prompt(inputs, len(ids), ())
        inside = text.rstrip().endswith(self.marks.opens) and not request.prefill
        stop = () if self.has_template else (PLAIN_STOP,)
        return Prompt(inputs, len(ids), tuple(ids[-TAIL:]), inside, stop)

    def _tokens(self, text: str, images: list[Any]) -> dict[str, Any]:
        if images:
            made = self.processor(text=[text], images=images, return_tensors="pt", add_special_tokens=False)
            return dict(made)
        # A template writes the special tokens itself.
        made = self.tokenizer(text, return_tensors="pt", add_special_tokens=not self.has_template)
        if not made["input_ids"].shape[-1]:
            raise InvalidRequest("The model's tokenizer finds nothing to read in this message. Write more.")
        return {name: made[name] for name in ("input_ids", "attention_mask") if name in made}

    def render(self, request: ChatRequest) -> str:
        """The conversation as one text, up to where the model goes on."""
        prefill = "" if self._encoder_decoder else request.prefill or ""
        return (self._by_template(request) if self.has_template else self._plain(request)) + prefill

    def _by_template(self, request: ChatRequest) -> str:
        from jinja2.exceptions import TemplateError

        switch = _effort(self._switch, request)
        for messages in (_messages(request), _messages(request, system_apart=False)):
            try:
                text = self._template.apply_chat_template(
                    messages, tokenize=False, add_generation_prompt=True, **switch
                )
                return str(text)
            except TemplateError as error:
                refusal = error
        raise InvalidRequest(f"The model's chat template refuses this conversation: {refusal}") from refusal

    def _plain(self, request: ChatRequest) -> str:
        if self._encoder_decoder and len(request.messages) == 1:
            return "\n".join(filter(None, [request.system, request.messages[0].content]))
        turns = [f"{PLAIN_ROLES[m.role]}: {m.content}" for m in request.messages]
        system = [f"{request.system}\n"] if request.system else []
        return "\n".join([*system, *turns, f"{PLAIN_ROLES['assistant']}:"])


def _marks(tokenizer: Any) -> Marks:
    """The family's marks, by what the tokenizer has among its added tokens."""
    added = tokenizer.get_added_vocab()
    for family in FAMILIES:
        first = family.opens.partition(">")[0] + ">" if family.opens.startswith("<") else family.opens
        if first in added:
            return family
    return THINK


def _effort(switch: str | None, request: ChatRequest) -> dict[str, Any]:
    effort = request.reasoning_effort
    if switch is None or effort is None:
        return {}
    return (
        {switch: effort != "none"} if switch == "enable_thinking" else {switch: "low" if effort == "none" else effort}
    )


def _messages(request: ChatRequest, *, system_apart: bool = True) -> list[dict[str, Any]]:
    """The conversation for a template; for one that knows no system role, the system text leads the first turn."""
    pictured = any(message.images for message in request.messages)
    turns = [_message(m.role, m.content, len(m.images), pictured) for m in request.messages]
    if not request.system:
        return turns
    if system_apart:
        return [_message("system", request.system, 0, pictured), *turns]
    first = request.messages[0]
    return [_message(first.role, f"{request.system}\n\n{first.content}", len(first.images), pictured), *turns[1:]]


def _message(role: str, content: str, images: int, parts: bool) -> dict[str, Any]:
    if not parts:
        return {"role": role, "content": content}
    return {"role": role, "content": [*[{"type": "image"}] * images, {"type": "text", "text": content}]}


def _open(data: bytes) -> Any:
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(data)).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidRequest("One of the pictures can't be read. Attach it as PNG, JPEG or WebP.") from error
