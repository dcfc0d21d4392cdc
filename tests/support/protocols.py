"""What each provider's API says on the wire: an answer, thinking, token probabilities, errors, lists of models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from tests.support.fake_server import Act, Asked

WORDS = ("Blue", " is", " a", " colour", ".")
TEXT = "".join(WORDS)
THOUGHT = "The sea is blue."


def data(*events: Any) -> tuple[str, ...]:
    """Server-sent events without names."""
    return tuple(f"data: {json.dumps(e)}\n\n" for e in events)


def named(*events: dict[str, Any]) -> tuple[str, ...]:
    """Server-sent events, each named by its own `type`."""
    return tuple(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


class Dialect(Protocol):
    """One provider's way of speaking. `opening` chunks give two words, and an answer needs `answer`'s all."""

    model: str
    backend: str
    url_name: str
    path: str
    env_var: str

    def base_url(self, root: str) -> str: ...
    def answer(self, *, thinking: bool = False, tokens: bool = False) -> tuple[str, ...]: ...
    def opening(self) -> tuple[str, ...]: ...
    def filtered(self) -> tuple[str, ...]: ...
    def error(self, status: int, message: str, code: str = "") -> Act: ...
    def key_in(self, asked: Asked) -> str: ...
    def image_in(self, asked: Asked) -> str: ...


@dataclass(frozen=True)
class Responses:
    """OpenAI's Responses API."""

    model: str = "openai:gpt-6.1-sol"
    backend: str = "openai"
    url_name: str = "openai"
    path: str = "/v1/responses"
    env_var: str = "OPENAI_API_KEY"

    def base_url(self, root: str) -> str:
        return root + "/v1"

    def _whole(self, status: str, **more: Any) -> dict[str, Any]:
        return {
            "id": "resp_1", "object": "response", "created_at": 1.0, "model": "gpt-6.1-sol", "status": status,
            "output": [], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], **more,
        }  # fmt: skip

    def opening(self) -> tuple[str, ...]:
        first = {"type": "response.created", "sequence_number": 0, "response": self._whole("in_progress")}
        return named(first, *(self._word(w) for w in WORDS[:2]))

    def _word(self, word: str, tokens: bool = False) -> dict[str, Any]:
        others = [{"token": word, "logprob": -0.1}, {"token": " Red", "logprob": -2.5}]
        probable = [{"token": word, "logprob": -0.1, "top_logprobs": others}] if tokens else []
        place = {"item_id": "m", "output_index": 0, "content_index": 0, "sequence_number": 1}
        return {"type": "response.output_text.delta", "delta": word, "logprobs": probable, **place}

    def answer(self, *, thinking: bool = False, tokens: bool = False) -> tuple[str, ...]:
        place = {"item_id": "r", "output_index": 0, "summary_index": 0, "sequence_number": 1}
        thought = {"type": "response.reasoning_summary_text.delta", "delta": THOUGHT, **place}
        usage = {
            "input_tokens": 12, "output_tokens": 30, "total_tokens": 42,
            "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 20},
        }  # fmt: skip
        end = {"type": "response.completed", "sequence_number": 9, "response": self._whole("completed", usage=usage)}
        first = {"type": "response.created", "sequence_number": 0, "response": self._whole("in_progress")}
        return named(first, *([thought] if thinking else []), *(self._word(w, tokens) for w in WORDS), end)

    def filtered(self) -> tuple[str, ...]:
        whole = self._whole("incomplete", incomplete_details={"reason": "content_filter"})
        return (*self.opening(), *named({"type": "response.incomplete", "sequence_number": 9, "response": whole}))

    def error(self, status: int, message: str, code: str = "") -> Act:
        return Act(status=status, body={"error": {"message": message, "type": "error", "code": code or None}})

    def key_in(self, asked: Asked) -> str:
        return asked.headers.get("authorization", "").removeprefix("Bearer ")

    def image_in(self, asked: Asked) -> str:
        return next(p["image_url"] for m in asked.body["input"] for p in m["content"] if p["type"] == "input_image")


@dataclass(frozen=True)
class Completions:
    """OpenAI's Chat Completions, as the rows of endpoints.toml and Hugging Face's router speak it."""

    model: str = "openrouter:some/model"
    backend: str = "openai_compatible"
    url_name: str = "openrouter"
    path: str = "/v1/chat/completions"
    env_var: str = "OPENROUTER_API_KEY"

    def base_url(self, root: str) -> str:
        return root + "/v1"

    def _chunk(self, delta: dict[str, Any], finish: str | None = None, **choice: Any) -> dict[str, Any]:
        return {
            "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "some/model",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish, **choice}],
        }  # fmt: skip

    def _word(self, word: str, tokens: bool = False) -> dict[str, Any]:
        others = [{"token": word, "logprob": -0.1, "bytes": None}, {"token": " Red", "logprob": -2.5, "bytes": None}]
        entry = {"token": word, "logprob": -0.1, "bytes": None, "top_logprobs": others}
        return self._chunk({"content": word}, logprobs={"content": [entry]} if tokens else None)

    def opening(self) -> tuple[str, ...]:
        return data(self._chunk({"role": "assistant", "content": ""}), *(self._word(w) for w in WORDS[:2]))

    def answer(self, *, thinking: bool = False, tokens: bool = False) -> tuple[str, ...]:
        thought = [self._chunk({"reasoning_content": THOUGHT})] if thinking else []
        usage = {
            "prompt_tokens": 12, "completion_tokens": 30, "total_tokens": 42,
            "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 20},
        }  # fmt: skip
        last = {**self._chunk({}), "choices": [], "usage": usage}
        words = [self._word(w, tokens) for w in WORDS]
        return (*data(*thought, *words, self._chunk({}, "stop"), last), "data: [DONE]\n\n")

    def filtered(self) -> tuple[str, ...]:
        return (*self.opening(), *data(self._chunk({}, "content_filter")), "data: [DONE]\n\n")

    def error(self, status: int, message: str, code: str = "") -> Act:
        return Act(status=status, body={"error": {"message": message, "type": "error", "code": code or None}})

    def key_in(self, asked: Asked) -> str:
        return asked.headers.get("authorization", "").removeprefix("Bearer ")

    def image_in(self, asked: Asked) -> str:
        parts = [p for m in asked.body["messages"] if isinstance(m["content"], list) for p in m["content"]]
        return str(next(p["image_url"]["url"] for p in parts if p["type"] == "image_url"))


@dataclass(frozen=True)
class Messages:
    """Anthropic's Messages API."""

    model: str = "anthropic:claude-haiku-4-5"
    backend: str = "anthropic"
    url_name: str = "anthropic"
    path: str = "/v1/messages"
    env_var: str = "ANTHROPIC_API_KEY"

    def base_url(self, root: str) -> str:
        return root

    def _start(self) -> dict[str, Any]:
        usage = {"input_tokens": 8, "output_tokens": 1, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 0}
        message = {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": usage,
        }  # fmt: skip
        return {"type": "message_start", "message": message}

    def _delta(self, **delta: Any) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": 0, "delta": delta}

    def _word(self, word: str) -> dict[str, Any]:
        return self._delta(type="text_delta", text=word)

    def _block(self, **block: Any) -> dict[str, Any]:
        return {"type": "content_block_start", "index": 0, "content_block": block}

    def _end(self, reason: str) -> tuple[dict[str, Any], ...]:
        delta = {"stop_reason": reason, "stop_sequence": None}
        return (
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 30}},
            {"type": "message_stop"},
        )

    def opening(self) -> tuple[str, ...]:
        return named(self._start(), self._block(type="text", text=""), *(self._word(w) for w in WORDS[:2]))

    def answer(self, *, thinking: bool = False, tokens: bool = False) -> tuple[str, ...]:
        thought = [
            self._block(type="thinking", thinking="", signature=""),
            self._delta(type="thinking_delta", thinking=THOUGHT),
            self._delta(type="signature_delta", signature="c2ln"),
        ]
        words = [self._block(type="text", text=""), *(self._word(w) for w in WORDS)]
        return named(self._start(), *(thought if thinking else []), {"type": "ping"}, *words, *self._end("end_turn"))

    def filtered(self) -> tuple[str, ...]:
        return (*self.opening(), *named(*self._end("refusal")))

    def error(self, status: int, message: str, code: str = "") -> Act:
        return Act(status=status, body={"type": "error", "error": {"type": code or "api_error", "message": message}})

    def key_in(self, asked: Asked) -> str:
        return asked.headers.get("x-api-key") or asked.headers.get("authorization", "").removeprefix("Bearer ")

    def image_in(self, asked: Asked) -> str:
        parts = [p for m in asked.body["messages"] if isinstance(m["content"], list) for p in m["content"]]
        source = next(p["source"] for p in parts if p["type"] == "image")
        return f"data:{source['media_type']};base64,{source['data']}"


@dataclass(frozen=True)
class Gemini:
    """Google's generateContent, streamed."""

    model: str = "google:gemini-3.8-flash"
    backend: str = "google"
    url_name: str = "google"
    path: str = "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
    env_var: str = "GEMINI_API_KEY"

    def base_url(self, root: str) -> str:
        return root

    def _chunk(self, text: str, finish: str | None = None, thought: bool = False) -> dict[str, Any]:
        part = {"text": text, "thought": True} if thought else {"text": text}
        candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": [part]}}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "modelVersion": "gemini-3.8-flash", "responseId": "g1"}

    def opening(self) -> tuple[str, ...]:
        return data(*(self._chunk(w) for w in WORDS[:2]))

    def answer(self, *, thinking: bool = False, tokens: bool = False) -> tuple[str, ...]:
        thought = [self._chunk(THOUGHT, thought=True)] if thinking else []
        usage = {
            "promptTokenCount": 12, "candidatesTokenCount": 10, "thoughtsTokenCount": 20, "totalTokenCount": 42,
            "cachedContentTokenCount": 4,
        }  # fmt: skip
        last = {**self._chunk(WORDS[-1], "STOP"), "usageMetadata": usage}
        return data(*thought, *(self._chunk(w) for w in WORDS[:-1]), last)

    def filtered(self) -> tuple[str, ...]:
        return (*self.opening(), *data(self._chunk("", "SAFETY")))

    def error(self, status: int, message: str, code: str = "") -> Act:
        return Act(status=status, body={"error": {"code": status, "message": message, "status": code or "UNKNOWN"}})

    def key_in(self, asked: Asked) -> str:
        return asked.headers.get("x-goog-api-key", "")

    def image_in(self, asked: Asked) -> str:
        parts = [p for c in asked.body["contents"] for p in c["parts"]]
        inline = next(p.get("inlineData") or p.get("inline_data") for p in parts if "text" not in p)
        return f"data:{inline.get('mimeType') or inline.get('mime_type')};base64,{inline['data']}"


@dataclass(frozen=True)
class Router(Completions):
    """Hugging Face's router."""

    model: str = "huggingface:openai/gpt-oss-20b"
    backend: str = "huggingface"
    url_name: str = "hf"
    env_var: str = "HF_TOKEN"


DIALECTS: tuple[Dialect, ...] = (Responses(), Completions(), Messages(), Gemini(), Router())
BY_BACKEND = {d.backend: d for d in DIALECTS}
