"""The chat Space's API: `/chat` and `/models`, for `gradio_client`, HTTP and MCP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import gradio as gr
from gradio.events import api

from shared.chat.answer import Answer, answers
from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.requests import ChatRequest, Message
from shared.tasks import Task
from shared.ui.chat.settings_panel import response_format
from shared.ui.models_api import models_of
from shared.ui.reading import read_mode


def endpoints(engine: Engine) -> None:
    """Add the endpoints to the Blocks being built."""
    api(_chat(engine), api_name="chat", concurrency_limit=None)
    api(models_of(engine, Task.CHAT), api_name="models")


def _chat(engine: Engine) -> Callable[..., Iterator[dict[str, Any]]]:
    def chat(
        message: str,
        model: str = "smollm2-135m",
        mode: str = "",
        engine_variant: str = "",
        history: list[dict[str, str]] = [],  # noqa: B006 - Gradio reads the default as the API's
        system: str = "",
        temperature: float | None = None,
        top_p: float | None = None,
        top_k: int | None = None,
        repetition_penalty: float | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
        reasoning_effort: str = "",
        top_logprobs: int | None = None,
        response_schema: str = "",
        overflow: str = "error",
        owner_token: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Answer a message. Yields the answer as it grows; the last one holds its receipt.

        Args:
            message: what to answer.
            model: a model id from /models, or the path of a GGUF file.
            mode: "quantized", "local" or "hosted"; empty takes the model's first engine that can run.
            engine_variant: a `variant` from /models, where a model has several engines of a kind.
            history: earlier turns, each {"role": "user" or "assistant", "content": "..."}.
            system: the system prompt.
            temperature: 0 to 2; left out, the model's own default, as for all settings below.
            top_p: 0 to 1.
            top_k: 0 is off.
            repetition_penalty: 0.5 to 2.
            max_tokens: the longest answer.
            seed: left out, one is drawn; the receipt names it.
            reasoning_effort: "none", "low", "medium" or "high", for models that think.
            top_logprobs: 1 to 20 alternatives for each token, in `tokens`.
            response_schema: a JSON schema, as text, that the answer must follow.
            overflow: "error", or "trim" to leave out the oldest turns when the conversation is too long.
            owner_token: from /history, which lists the runs that were begun with it.
        """
        try:
            request = ChatRequest(
                messages=(*_history(history), Message("user", message)),
                system=system or None,
                temperature=temperature,
                top_p=top_p,
                top_k=top_k,
                repetition_penalty=repetition_penalty,
                max_tokens=max_tokens,
                seed=seed,
                reasoning_effort=_effort(reasoning_effort),
                top_logprobs=top_logprobs,
                response_format=response_format(response_schema) if response_schema.strip() else None,
                overflow="trim" if overflow == "trim" else "error",
            )
            where: dict[str, Any] = {"mode": read_mode(mode), "variant": engine_variant or None}
            owner = engine.jobs.owners.owner(owner_token)
            events = engine.generate(model, request, owner=owner, **where)
            for answer in answers(events):
                if answer.error and not answer.text:
                    raise answer.error
                yield _plain(answer)
        except InferenceError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return chat


def _history(turns: list[dict[str, str]]) -> Iterator[Message]:
    for turn in turns:
        role, content = turn.get("role"), turn.get("content")
        if role not in ("user", "assistant") or not isinstance(content, str):
            raise InvalidRequest('Each turn of history must be {"role": "user" or "assistant", "content": "text"}.')
        yield Message(role, content)  # type: ignore[arg-type]


def _effort(effort: str) -> Any:
    if effort not in ("", "none", "low", "medium", "high"):
        raise InvalidRequest(f"reasoning_effort must be none, low, medium or high; it is {effort[:40]!r}.")
    return effort or None


def _plain(answer: Answer) -> dict[str, Any]:
    return {
        "text": answer.text,
        "thinking": answer.thinking,
        "status": answer.status,
        "finish_reason": answer.finish_reason,
        "tokens": [asdict(token) for token in answer.tokens],
        "error": str(answer.error) if answer.error else None,
        "receipt": answer.receipt.to_dict() if answer.receipt else None,
    }
