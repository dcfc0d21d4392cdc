"""The one table of what providers' errors mean: by their code, else by the HTTP status, else by the exception."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from shared.backends.hosted.account import Account
from shared.backends.hosted.redaction import redact
from shared.backends.hosted.reply import Reply, chain, read_reply
from shared.catalog import Variant, load_catalog
from shared.errors import (
    BackendError,
    ContentFiltered,
    ContextOverflow,
    InferenceError,
    InvalidRequest,
    KeyRefused,
    ModelRetired,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    StreamCut,
    UnknownModel,
)


@dataclass(frozen=True)
class Failed:
    """A call that failed: where it went, for which model, and whether any output had come."""

    account: Account
    variant: Variant
    began: bool
    connect_timeout: float
    reply: Reply = field(default_factory=lambda: Reply(None))

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.account.name

    @property
    def words(self) -> str:
        """What the provider said, fit to be shown: a page that some proxy sent instead is not."""
        said = "" if self.reply.message.lstrip().startswith("<") else self.reply.message
        words = redact(said, self.account.key) or f"it answered with status {self.reply.status}"
        return words if words.endswith((".", "!", "?", "…")) else f"{words}."


Maker = Callable[[Failed], InferenceError]


def _key(call: Failed) -> InferenceError:
    if _UNVERIFIED.search(call.reply.message):
        return ProviderError(call.name, f"{call.name} doesn't let this account use the model yet: {call.words}")
    return KeyRefused(call.name, None if call.account.chosen else call.account.endpoint.env_var)


def _limited(call: Failed) -> InferenceError:
    return RateLimited(call.name, call.reply.retry_after)


def _spent(call: Failed) -> InferenceError:
    return ProviderError(
        call.name, f"{call.name} says that this key's credit is used up. Add credit there, or use another key."
    )


def _unavailable(call: Failed) -> InferenceError:
    return ProviderUnavailable(
        call.name, f"{call.name} has trouble of its own ({call.words}) Try again, or choose another engine."
    )


def _filtered(call: Failed) -> InferenceError:
    return ContentFiltered(call.name, call.words)


def _invalid(call: Failed) -> InferenceError:
    if _TOO_LONG.search(call.reply.message):
        return _overflow(call)
    if _BAD_KEY.search(call.reply.message):
        return _key(call)
    if UNSAFE.search(call.reply.message):
        return _filtered(call)
    return InvalidRequest(f"{call.name} refused the request: {call.words} Change the setting it names and try again.")


def _overflow(call: Failed) -> InferenceError:
    sizes = [int(n.replace(",", "")) for n in _SIZE.findall(call.reply.message)][:2]
    if len(sizes) == 2 and sizes[0] != sizes[1]:
        return ContextOverflow(max(sizes), min(sizes))
    return InvalidRequest(
        "This conversation is longer than the model reads. Trim the oldest messages, or choose a model with a "
        "longer context."
    )


def _missing(call: Failed) -> InferenceError:
    model = call.variant.repo_id
    for spec in load_catalog():
        here = any((v.backend, v.repo_id) == (call.variant.backend, model) for v in spec.variants)
        if here and spec.retired:
            return ModelRetired(call.name, model, spec.successor)
    hint = " Its address may also be wrong: most end in /v1." if call.account.chosen else ""
    return UnknownModel(f"{call.name} has no model called {model!r} for this key. Choose one from the list.{hint}")


def _retired(call: Failed) -> InferenceError:
    found = _missing(call)
    return found if isinstance(found, ModelRetired) else ModelRetired(call.name, call.variant.repo_id)


def _moved(call: Failed) -> InferenceError:
    return ProviderError(
        call.name,
        f"{call.account.host} sends callers on to another address, which is not followed. Give that address itself.",
    )


BY_CODE: Mapping[str, Maker] = {
    "context_length_exceeded": _overflow,
    "exceed_context_size_error": _overflow,  # llama-server
    "content_filter": _filtered,
    "content_policy_violation": _filtered,
    "moderation_blocked": _filtered,
    "image_content_policy_violation": _filtered,
    "invalid_prompt": _filtered,
    "bio_policy": _filtered,
    "misalignment_policy_violation": _filtered,
    "insufficient_quota": _spent,
    "billing_error": _spent,
    "invalid_api_key": _key,
    "authentication_error": _key,
    "permission_error": _key,
    "unauthenticated": _key,
    "permission_denied": _key,
    "model_not_found": _missing,
    "rate_limit_exceeded": _limited,
    "rate_limit_error": _limited,
    "resource_exhausted": _limited,
    "overloaded_error": _unavailable,
    "overloaded": _unavailable,
    "server_error": _unavailable,
    "internal_server_error": _unavailable,
    "api_error": _unavailable,
    "unavailable": _unavailable,
}
BY_STATUS: Mapping[int, Maker] = {
    400: _invalid,
    401: _key,
    402: _spent,
    403: _key,
    404: _missing,
    408: _unavailable,
    409: _unavailable,
    410: _retired,
    413: _invalid,
    422: _invalid,
    429: _limited,
}
BY_HUNDRED: Mapping[int, Maker] = {3: _moved, 4: _invalid, 5: _unavailable}

_TOO_LONG = re.compile(
    r"(?i)context (length|window|size)|maximum context|prompt is too long|input token count|too many tokens"
)
_SIZE = re.compile(r"(?<![\w.-])\d[\d,]{2,}")  # not the digits of a model's name
_SDKS = frozenset({"openai", "anthropic", "google", "huggingface_hub"})
UNSAFE = re.compile(r"(?i)\bnsfw\b|safety system|content (policy|filter|moderation)")
_UNVERIFIED = re.compile(r"(?i)organi[sz]ation must be verified")
_BAD_KEY = re.compile(r"(?i)api[ _]key[ _](not valid|invalid|expired)")


def translate(error: BaseException, call: Failed) -> BaseException:
    """The error of ours that it means. One that is neither a provider's nor the network's comes back unchanged."""
    if isinstance(error, InferenceError):
        return error
    for each in chain(error):
        if (reply := read_reply(each)) is not None:
            return _refused(replace(call, reply=reply))
    return _broken(error, call)


def _refused(call: Failed) -> InferenceError:
    reply = call.reply
    for code in reply.codes:
        if code in BY_CODE:
            return BY_CODE[code](call)
    status = reply.status or 0
    make = BY_STATUS.get(status) or BY_HUNDRED.get(status // 100)
    if make:
        return make(call)
    return StreamCut(call.name) if call.began else _unavailable(call)  # an error inside a stream, of no known kind


def _broken(error: BaseException, call: Failed) -> BaseException:
    """The connection failed, or what came can't be read."""
    import httpx2

    for each in chain(error):
        if isinstance(each, BackendError):
            return each
        if isinstance(each, httpx2.TransportError):
            return StreamCut(call.name) if call.began else _unreached(each, call)
        if isinstance(each, ValueError):  # JSON, encoding and schema errors are all of this kind
            return StreamCut(call.name) if call.began else _unreadable(call)
    if type(error).__module__.split(".")[0] in _SDKS:
        return ProviderError(call.name, f"{call.name} failed: {redact(str(error), call.account.key)}")
    return _unreadable(call) if _raised_in(error).split(".")[0] in _SDKS else error


def _raised_in(error: BaseException) -> str:
    """The module whose code raised it: an SDK that stumbles over an answer raises errors of any kind."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals.get("__name__", "")) if trace else ""


def ended_early(call: Failed) -> InferenceError:
    """The stream ended without saying that the answer is complete."""
    return StreamCut(call.name) if call.began else _closed(call)


def _closed(call: Failed) -> InferenceError:
    return ProviderUnavailable(
        call.name,
        f"{call.name}: {call.account.host} closed the connection before it answered. "
        "Try again, or choose another engine.",
    )


def _unreadable(call: Failed) -> InferenceError:
    return ProviderError(
        call.name,
        f"{call.name} sent something that is no answer of the kind expected. Check the address and the model.",
    )


def _unreached(error: Exception, call: Failed) -> InferenceError:
    import httpx2

    host, hint = call.account.host, call.account.endpoint.start_hint
    if isinstance(error, httpx2.TimeoutException):
        text = f"{host} couldn't be reached within {call.connect_timeout:.0f} seconds."
    elif isinstance(error, httpx2.ConnectError):
        text = f"Nothing answers at {host}. " + (hint or "Check the network and the address.")
    else:
        return _closed(call)
    return ProviderUnavailable(call.name, f"{call.name}: {text} Try again, or choose another engine.")
