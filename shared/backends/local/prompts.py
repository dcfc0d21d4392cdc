"""Turns a conversation into what a local model reads: token ids, and pixels where it sees.

With a chat template, the model's own is followed. Without one (base and encoder-decoder models) the model is
given the last message alone, after the system prompt if there is one: it was not trained on conversations.
"""

from __future__ import annotations

import io
from typing import Any

from shared.errors import InvalidRequest
from shared.requests import ChatRequest, Message


class Prompter:
    """Writes prompts for one model. `reader` is its tokenizer, or its processor where it sees."""

    def __init__(self, tokenizer: Any, processor: Any = None, *, seq2seq: bool = False) -> None:
        self.tokenizer, self.seq2seq = tokenizer, seq2seq
        self.sees = getattr(processor, "image_processor", None) is not None
        self._reader = processor if self.sees else tokenizer
        self._template = getattr(self._reader, "chat_template", None) or getattr(tokenizer, "chat_template", None)

    def __call__(self, request: ChatRequest) -> Any:
        """The model's inputs (`input_ids` of shape (1, tokens), ...). Raises `InvalidRequest`."""
        if any(m.images for m in request.messages) and not self.sees:
            raise InvalidRequest("This model reads text only. Remove the pictures, or choose a model that sees.")
        if self._template:
            return self._with_template(request)
        inputs = self._reader(text=self._plain(request), return_tensors="pt")
        if not inputs["input_ids"].shape[1]:
            raise InvalidRequest("The message has nothing in it that this model can read. Write something else.")
        return inputs

    def count(self, request: ChatRequest) -> int:
        """Tokens of the prompt."""
        return int(self(request)["input_ids"].shape[1])

    def _plain(self, request: ChatRequest) -> str:
        parts = [request.system, request.messages[-1].content]
        prefill = "" if self.seq2seq else request.prefill or ""
        return "\n\n".join(part for part in parts if part) + prefill

    def _with_template(self, request: ChatRequest) -> Any:
        from jinja2.exceptions import TemplateError

        try:
            return self._apply(self._messages(request, fold=False), request)
        except TemplateError as error:
            first = error
        if request.system:  # some templates (Gemma's) refuse a system message
            try:
                return self._apply(self._messages(request, fold=True), request)
            except TemplateError as error:
                first = error
        raise InvalidRequest(f"This model's chat template refuses the conversation: {first}. Start a new one.")

    def _apply(self, messages: list[dict[str, Any]], request: ChatRequest) -> Any:
        return self._reader.apply_chat_template(
            messages,
            chat_template=self._template,
            add_generation_prompt=not request.prefill,
            continue_final_message=bool(request.prefill),
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            **_thinking(request),
        )

    def _messages(self, request: ChatRequest, fold: bool) -> list[dict[str, Any]]:
        messages = list(request.messages)
        system = request.system
        if system and fold:
            first = messages[0]
            messages[0] = Message(first.role, f"{system}\n\n{first.content}", first.images)
        turns = [self._turn("system", system)] if system and not fold else []
        turns += [self._turn(m.role, m.content, m) for m in messages]
        return [*turns, self._turn("assistant", request.prefill)] if request.prefill else turns

    def _turn(self, role: str, text: str, message: Message | None = None) -> dict[str, Any]:
        """Templates of models that see take a list of parts; the others take the text itself."""
        if not self.sees:
            return {"role": role, "content": text}
        pictures = [{"type": "image", "image": _picture(i.data)} for i in (message.images if message else ())]
        return {"role": role, "content": [*pictures, {"type": "text", "text": text}]}


def _thinking(request: ChatRequest) -> dict[str, Any]:
    """How much to think, by the names that templates know it: Qwen's and SmolLM's, gpt-oss's."""
    effort = request.reasoning_effort
    if effort is None:
        return {}
    return {"enable_thinking": False} if effort == "none" else {"enable_thinking": True, "reasoning_effort": effort}


def _picture(data: bytes) -> Any:
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(data)).convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise InvalidRequest("A picture could not be read. Send a PNG or JPEG file.") from error
