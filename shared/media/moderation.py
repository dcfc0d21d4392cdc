"""Has words and pictures looked over by OpenAI's moderation, where there is a key for it, and explains what it finds.

The model rates each kind of harm from 0 to 1. The service costs nothing; what is checked is sent to OpenAI. How strict
the answer is read stands in `safety.toml`. Nothing is blocked without words, and a check that fails is told as such.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.backends.hosted.account import Account, provider_account
from shared.catalog import Variant
from shared.errors import BackendError, InferenceError, ProviderError, ProviderTimeout
from shared.media.safety import safety_of
from shared.requests import ImagePart
from shared.retries import RetryPolicy, with_retries
from shared.settings import Settings
from shared.streaming import CancelToken, Emit, Emitter

MODEL = "omni-moderation-latest"
PATIENCE = 15.0  # seconds for one answer
_MOST_BYTES = 1_000_000  # of an answer
_RETRIES = RetryPolicy(attempts=2, cap=2.0, patience=3.0, deadline=PATIENCE)
_MILD = (
    "You did nothing wrong by asking: such a check is automatic and often mistaken. {way} What was checked went to "
    "OpenAI for that alone; this server kept nothing of it and told nobody."
)
_CARE = (
    " If this is about you and you think of hurting yourself, please talk to somebody you trust, or call a helpline "
    "where you live."
)


@dataclass(frozen=True)
class Finding:
    """`refused`: it is not to be drawn, or not to be shown. `words` say why, or why nothing could be checked."""

    refused: bool = False
    words: str = ""
    checked: bool = True


def applies(settings: Settings) -> bool:
    """Whether there is anybody to ask: a key, a server that may call out, and a setting other than "off"."""
    return safety_of(settings) != "off" and _account(settings) is not None


def look_over(
    texts: Sequence[str], pictures: Sequence[ImagePart], settings: Settings, cancel: CancelToken | None = None
) -> Finding:
    """Check them; never raises but `Cancelled`. Where nothing can be said, only a strict server refuses."""
    account = _account(settings)
    if safety_of(settings) == "off" or account is None:
        return Finding()
    what = "picture" if pictures and not texts else "prompt"
    try:
        worst: dict[str, float] = {}
        for parts in _calls(texts, pictures):
            for name, score in _ask(account, parts, settings, cancel).items():
                worst[name] = max(score, worst.get(name, 0.0))
    except InferenceError as error:
        return _unchecked(what, str(error), settings)
    return _explained(what, worst)


@cache
def _table() -> Mapping[str, Any]:
    rows: dict[str, Any] = tomllib.loads((Path(__file__).parent / "safety.toml").read_text(encoding="utf-8"))
    return rows["moderation"]  # type: ignore[no-any-return]


def _account(settings: Settings) -> Account | None:
    try:
        return provider_account("openai", settings)
    except BackendError:  # no key, or a server that stays offline
        return None


def _calls(texts: Sequence[str], pictures: Sequence[ImagePart]) -> list[list[dict[str, Any]]]:
    """What to send in each call: the service takes one picture at a time."""
    words = [{"type": "text", "text": text} for text in texts if text.strip()]
    seen = [{"type": "image_url", "image_url": {"url": picture.data_url}} for picture in pictures]
    return [[*words, *seen[:1]], *([picture] for picture in seen[1:])] if words or seen else []


def _ask(account: Account, parts: Any, settings: Settings, cancel: CancelToken | None) -> dict[str, float]:
    """The kinds of harm that count under the server's setting, with their scores."""
    from shared.backends.hosted.loop import run_async

    emit: Emit = Emitter(lambda event: None, cancel)

    def once() -> dict[str, float]:
        found = run_async(lambda: _answer(account, parts, settings), emit)
        if isinstance(found, BaseException):
            raise found from None  # the SDK's exception holds the request and its key
        return found

    return with_retries(once, emit, lambda: False, _RETRIES)


async def _answer(account: Account, parts: Any, settings: Settings) -> dict[str, float] | BaseException:
    from shared.backends.hosted.failures import Failed, translate
    from shared.backends.hosted.http import open_client
    from shared.backends.hosted.openai_client import openai_client

    try:
        async with asyncio.timeout(PATIENCE), await open_client(account, settings, _MOST_BYTES) as http:
            answer = await openai_client(account, http).moderations.create(model=MODEL, input=parts)
        return _counted(answer, account.name, settings)
    except TimeoutError:
        return ProviderTimeout(account.name, PATIENCE)
    except ImportError:
        return BackendError("The package openai is not installed. Install it with: pip install openai")
    except Exception as error:
        asked = Variant(backend="openai_images", repo_id=MODEL)
        return translate(error, Failed(account, asked, False, settings.connect_timeout))


def _counted(answer: Any, provider: str, settings: Settings) -> dict[str, float]:
    results = getattr(answer, "results", None)
    if not isinstance(results, list) or not results:
        raise ProviderError(provider, f"{provider} sent no verdict. Check the address that OPENAI_BASE_URL names.")
    limit = float(_table()["strict_from"]) if safety_of(settings) == "strict" else 1.1
    found: dict[str, float] = {}
    for result in results:
        scores, flags = (_plain(getattr(result, name, None)) for name in ("category_scores", "categories"))
        flagged = {name for name, flag in flags.items() if flag is True}
        if getattr(result, "flagged", False) and not flagged:
            flagged = {max(scores, key=lambda name: scores[name], default="other")}
        found |= {name: float(scores.get(name) or 1.0) for name in flagged}
        found |= {name: float(score) for name, score in scores.items() if (score or 0.0) >= limit}
    return found


def _plain(part: Any) -> dict[str, Any]:
    return dict(part.model_dump(by_alias=True)) if hasattr(part, "model_dump") else {}


def _explained(what: str, worst: Mapping[str, float]) -> Finding:
    if not worst:
        return Finding()
    kinds = _table()["kinds"]
    rated = ", ".join(f"{kinds.get(name, name)} ({score:.0%})" for name, score in sorted(worst.items()))
    if what != "prompt":
        mild = _MILD.format(way="Other words or another seed may do.")
        words = f"OpenAI's moderation takes this picture for {rated}, so it is covered. {mild}"
        return Finding(refused=True, words=words)
    mild = _MILD.format(way="Say it in other words and try again.")
    care = _CARE if any(name.startswith("self-harm") for name in worst) else ""
    words = f"OpenAI's moderation takes this prompt for {rated}, so nothing was drawn. {mild}{care}"
    return Finding(refused=True, words=words)


def _unchecked(what: str, why: str, settings: Settings) -> Finding:
    strict = safety_of(settings) == "strict"
    if what == "prompt":
        done = "Nothing was drawn, because this server is set to strict." if strict else "It was drawn all the same."
        return Finding(strict, f"OpenAI's moderation could not check this prompt. {done} {why}", checked=False)
    done = "It is covered, because this server is set to strict." if strict else "It is shown as it is."
    return Finding(strict, f"OpenAI's moderation could not check this picture. {done} {why}", checked=False)
