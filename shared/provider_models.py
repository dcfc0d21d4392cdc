"""Merges the providers' own lists of models with the catalogue, so that what is new or gone is shown as such."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module

from shared.backends.endpoints import ENDPOINTS, PROVIDERS, Endpoint
from shared.backends.hosted.account import CUSTOM, Account, endpoint_account, provider_account
from shared.backends.hosted.failures import Failed, translate
from shared.backends.hosted.http import open_client
from shared.backends.hosted.listing import LISTERS, OTHERS, PACKAGES, Listed
from shared.backends.hosted.loop import run_async
from shared.catalog import Catalog, ModelSpec, Variant
from shared.errors import BackendError, ProviderTimeout, ProviderUnavailable
from shared.settings import Settings
from shared.streaming import Emitter
from shared.tasks import Task

_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")
_TERMS = "proprietary (provider's terms)"
_OPEN = "see the model's page"
_ANSWER, _THOUGHTFUL_ANSWER = 1024, 4096  # tokens; thinking counts as well


def refresh(catalog: Catalog, settings: Settings) -> tuple[Catalog, dict[str, str]]:
    """Ask every provider that has a key, and the local servers that run, all at once.

    Returns the larger catalogue and, for each provider that failed, its name and what went wrong. Waits no longer
    than `settings.connect_timeout` seconds for any of them; raises nothing.
    """
    accounts = _accounts(settings)
    for name in accounts:
        if name in PACKAGES:
            with suppress(ImportError):  # then asking it fails, and says so
                import_module(PACKAGES[name])
    answers = run_async(lambda: _ask_all(accounts, settings), Emitter(lambda event: None))
    errors = {name: answer for name, answer in answers.items() if isinstance(answer, str)}
    for name, answer in answers.items():
        if not isinstance(answer, str):
            catalog = merge(catalog, accounts[name].endpoint, answer)
    return catalog, {name: error for name, error in errors.items() if error}


def _accounts(settings: Settings) -> dict[str, Account]:
    """Those that can be asked: with a key where one is needed."""
    found = {}
    for name in PROVIDERS:
        with suppress(BackendError):
            found[name] = provider_account(name, settings)
    for name in ENDPOINTS:
        with suppress(BackendError):
            variant = Variant(backend="openai_compatible", options={"endpoint": name})
            if name != CUSTOM:
                found[name] = endpoint_account(variant, settings)
    return found


async def _ask_all(accounts: dict[str, Account], settings: Settings) -> dict[str, list[Listed] | str]:
    answers = await asyncio.gather(*(_ask(name, account, settings) for name, account in accounts.items()))
    return dict(zip(accounts, answers, strict=True))


async def _ask(name: str, account: Account, settings: Settings) -> list[Listed] | str:
    """Its models, or what went wrong; "" for a local server that isn't running, which is no mistake."""
    try:
        async with asyncio.timeout(settings.connect_timeout), await open_client(account, settings) as http:
            return [model async for model in LISTERS.get(name, OTHERS)(account, http)]
    except TimeoutError:
        return str(ProviderTimeout(account.name, settings.connect_timeout))
    except Exception as error:
        failed = Failed(account, Variant(backend=name), False, settings.connect_timeout)
        meant = translate(error, failed)
        absent = account.endpoint.local and isinstance(meant, ProviderUnavailable)
        return "" if absent else str(meant) if meant is not error else f"{account.name}'s list can't be read."


def merge(catalog: Catalog, endpoint: Endpoint, listed: Iterable[Listed]) -> Catalog:
    """The catalogue with a provider's list worked in. Entries keep their ids; what is new is `provider:model`."""
    rows = {row.name: row for row in listed if row.name}
    known = {v.repo_id: spec for spec in catalog for v in spec.variants if _serves(endpoint, v)}
    changed: dict[str, ModelSpec] = {}
    for name, row in rows.items():
        plain = _DATED.sub("", name)
        spec = known.get(name)
        if spec is not None:
            changed[spec.id] = _updated(changed.get(spec.id, spec), endpoint, row)
        elif plain != name and (plain in known or plain in rows):
            continue  # a dated version of a model that is listed under its plain name
        elif endpoint.is_chat(name) and not _gone(row):
            new = _new(endpoint, row)
            changed[new.id] = new
    return catalog.with_models(changed.values())


def _serves(endpoint: Endpoint, variant: Variant) -> bool:
    if variant.backend == "openai_compatible":
        return variant.options.get("endpoint") == endpoint.id
    return variant.backend == endpoint.id


def _gone(row: Listed) -> bool:
    return row.retired or ("" < row.ends <= datetime.now(UTC).date().isoformat())


def _updated(spec: ModelSpec, endpoint: Endpoint, row: Listed) -> ModelSpec:
    """What the provider says goes before what the catalogue says; of a model served elsewhere too, only sizes."""
    spec = replace(spec, context_length=spec.context_length or row.context_length)
    if not all(_serves(endpoint, v) for v in spec.variants):
        return spec
    return replace(spec, retired=_gone(row), summary=_with_end(spec.summary, endpoint, row))


def _with_end(summary: str, endpoint: Endpoint, row: Listed) -> str:
    if not row.ends or _gone(row):
        return summary
    ending = f"{endpoint.name} ends it on {row.ends}."
    return summary if ending in summary else f"{summary} {ending}".lstrip()


def _new(endpoint: Endpoint, row: Listed) -> ModelSpec:
    profile = endpoint.profile(row.name)
    own = endpoint.id in PROVIDERS
    thinks = bool(profile.thinking) if row.thinks is None else row.thinks
    variant = Variant(
        backend=endpoint.id if own else "openai_compatible",
        repo_id=row.name,
        options={} if own else {"endpoint": endpoint.id},
    )
    return ModelSpec(
        id=f"{endpoint.id}:{row.name}",
        name=f"{row.title or row.name} ({endpoint.name})",
        task=Task.CHAT,
        license=_TERMS if endpoint.id in LISTERS else _OPEN,
        variants=(variant,),
        summary=_with_end("", endpoint, row),
        context_length=row.context_length,
        accepts_images=profile.images if row.images is None else row.images,
        thinks=thinks,
        defaults={"max_tokens": _THOUGHTFUL_ANSWER if thinks else _ANSWER},
    )
