"""The chat Space for programs: its endpoints and their parameters are stable, and an MCP client can use them."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from tests.support.fake_server import Act
from tests.support.protocols import Completions
from tests.support.providers import Providers
from tests.support.server import Server

# What programs are written against: a name may be added at the end, none may go or change.
CHAT = {
    "message": "str",
    "model": "str",
    "mode": "str",
    "engine_variant": "str",
    "history": "list[dict[str, str]]",
    "system": "str",
    "temperature": "float | None",
    "top_p": "float | None",
    "top_k": "int | None",
    "repetition_penalty": "float | None",
    "max_tokens": "int | None",
    "seed": "int | None",
    "reasoning_effort": "str",
    "top_logprobs": "int | None",
    "response_schema": "str",
    "overflow": "str",
    "owner_token": "str",
}
ANSWER = {"text", "thinking", "status", "finish_reason", "tokens", "error", "receipt"}
MODEL = {
    "id", "name", "task", "mode", "engine", "variant", "quantization", "license", "starter", "runs_here", "reason",
}  # fmt: skip


def test_the_public_endpoints_and_their_parameters_are_these(space: Server) -> None:
    named = httpx.get(f"{space.url}/gradio_api/info").json()["named_endpoints"]
    assert set(named) == {"/chat", "/models", "/history", "/forget_history"}
    given = {p["parameter_name"]: p["python_type"]["type"] for p in named["/chat"]["parameters"]}
    assert list(given) == list(CHAT)
    assert [p["parameter_name"] for p in named["/chat"]["parameters"] if not p["parameter_has_default"]] == ["message"]
    assert named["/models"]["parameters"] == []


def test_an_answer_and_a_model_have_these_fields(space: Server, played: Providers) -> None:
    played.reset()
    client = Client(space.url, verbose=False, analytics_enabled=False)
    answer = client.predict("What is blue?", Completions().model, api_name="/chat")
    assert set(answer) == ANSWER and answer["text"] == "Blue is a colour."
    assert answer["receipt"]["backend"] == "openai_compatible" and answer["receipt"]["model"] == Completions().model
    models = client.predict(api_name="/models")
    assert all(set(model) == MODEL for model in models)
    assert all(model["runs_here"] is (model["reason"] is None) for model in models)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"message": ""}, "Write something"),
        ({"message": "x" * 400_001}, "400,001 characters"),
        ({"model": "no-such-model"}, "no-such-model"),
        ({"mode": "cloud"}, "mode must be one of"),
        ({"temperature": 9}, "between 0 and 2"),
        ({"history": [{"role": "system", "content": "x"}]}, "Each turn of history"),
        ({"response_schema": "{"}, "JSON schema can't be read"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_wrong_request_is_told(space: Server, wrong: dict[str, Any], told: str) -> None:
    client = Client(space.url, verbose=False, analytics_enabled=False)
    with pytest.raises(AppError, match=told):
        client.predict(**{"message": "Hello.", "max_tokens": 4, **wrong}, api_name="/chat")


def test_a_broken_answer_comes_with_its_error(space: Server, played: Providers) -> None:
    played.reset()
    one = Completions()
    played[one].act = Act(chunks=one.opening(), after="cut")
    answer = Client(space.url, verbose=False, analytics_enabled=False).predict("Hi.", one.model, api_name="/chat")
    assert answer["text"] == "Blue is" and "broke off" in answer["error"]
    assert answer["receipt"]["finish_reason"] == "cut"


def in_mcp(space: Server, work: Callable[[ClientSession], Awaitable[Any]]) -> Any:
    """Do this as an MCP client that is connected by streamable HTTP."""

    async def connected() -> Any:
        async with (
            streamable_http_client(f"{space.url}/gradio_api/mcp/") as (reads, writes, _),
            ClientSession(reads, writes, read_timeout_seconds=timedelta(seconds=90)) as session,
        ):
            await session.initialize()
            return await work(session)

    return asyncio.run(connected())


def said(result: CallToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, TextContent))


def test_an_mcp_client_finds_the_tools_with_their_words(space: Server) -> None:
    tools = {tool.name: tool for tool in _tools(space)}
    assert set(tools) == {"chat", "models", "history", "forget_history"}
    chat, models = tools["chat"], tools["models"]
    assert "Answer a message" in (chat.description or "")
    assert "why not" in (models.description or "")
    properties = chat.inputSchema["properties"]
    assert set(properties) == set(CHAT)
    undocumented = [name for name, field in properties.items() if not field.get("description")]
    assert not undocumented


def _tools(space: Server) -> list[Any]:
    listed = in_mcp(space, lambda session: session.list_tools())
    return list(listed.tools)


def test_an_mcp_client_gets_an_answer_of_the_starter_model(space: Server) -> None:
    result = in_mcp(space, lambda session: session.call_tool("chat", {"message": "Say hello.", "max_tokens": 16}))
    assert not result.isError
    answer = ast.literal_eval(said(result))  # Gradio writes a tool's result as Python does, not as JSON
    assert answer["text"] and answer["receipt"]["starter"] is True
    listed = in_mcp(space, lambda session: session.call_tool("models", {}))
    assert "smollm2-135m" in said(listed)


def test_an_mcp_client_is_told_what_is_wrong(space: Server) -> None:
    result = in_mcp(space, lambda session: session.call_tool("chat", {"message": " "}))
    assert result.isError and "Write something" in said(result)
