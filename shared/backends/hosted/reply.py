"""Reads what a provider said when it refused, whichever SDK raised it: status, codes, words, how long to wait."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


class Reported(Exception):
    """An error that came inside the stream, as the provider's own error object."""

    def __init__(self, body: Any) -> None:
        self.body = body
        super().__init__("the provider reported an error")


@dataclass(frozen=True)
class Reply:
    """`codes` are the provider's names for the error, in lower case; `retry_after` is in seconds."""

    status: int | None
    codes: tuple[str, ...] = ()
    message: str = ""
    param: str = ""
    retry_after: float | None = None


def read_reply(error: BaseException) -> Reply | None:
    """The provider's answer inside the exception, or None where it holds none (a broken connection, say)."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None) or getattr(error, "code", None)
    body = _body(error, response)
    if not isinstance(status, int):
        status = None
    if status is None and body is None:
        return None
    inner = _inner(body)
    codes = tuple(str(inner[k]).lower() for k in ("code", "type", "status") if inner.get(k))
    message = str(inner.get("message") or inner.get("detail") or (body if isinstance(body, str) else ""))
    headers = getattr(response, "headers", None) or {}
    wait = _header_wait(headers) or _body_wait(inner)
    return Reply(status, codes, message, str(inner.get("param") or ""), wait)


def _body(error: BaseException, response: Any) -> Any:
    for name in ("body", "details"):
        if getattr(error, name, None) is not None:
            return getattr(error, name)
    if response is not None:
        try:
            return response.json()
        except ValueError:
            return response.text
    return error.args[0] if error.args and isinstance(error.args[0], Mapping) else None


def _inner(body: Any) -> Mapping[str, Any]:
    if isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return {}
    if not isinstance(body, Mapping):
        return {}
    inner = body.get("error", body)
    if isinstance(inner, Mapping):
        return inner
    words = body.get("detail") or body.get("errors")  # AUTOMATIC1111 puts the error's kind where others put its words
    return {"message": str(words), "code": str(inner)} if words else {"message": str(inner)}


def _header_wait(headers: Mapping[str, str]) -> float | None:
    """Retry-After in either of its forms: seconds, or a date (RFC 9110, 10.2.3)."""
    text = str(headers.get("retry-after") or "").strip()
    if not text:
        return None
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max((when - datetime.now(UTC)).total_seconds(), 0.0)


def _body_wait(inner: Mapping[str, Any]) -> float | None:
    """Google says it in the body: `{"@type": "...RetryInfo", "retryDelay": "34s"}`, and Replicate in words."""
    if found := _RESETS.search(str(inner.get("detail") or "")):
        return float(found[1])
    details = inner.get("details")
    for detail in details if isinstance(details, list) else []:
        delay = str(detail.get("retryDelay", "")) if isinstance(detail, Mapping) else ""
        if delay.endswith("s") and delay[:-1].replace(".", "", 1).isdigit():
            return float(delay[:-1])
    return None


_RESETS = re.compile(r"(?i)\b(?:available|resets) in ~?(\d{1,5}) ?s")  # https://replicate.com/docs/topics/predictions


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those that caused it, outermost first."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
