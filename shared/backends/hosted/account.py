"""Where a hosted run goes and with which key."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from shared import url_guard
from shared.backends.endpoints import ENDPOINTS, PROVIDERS, Endpoint
from shared.catalog import Variant
from shared.errors import BackendError, MissingCredentials
from shared.settings import Secret, Settings

CUSTOM = "custom"
Row = TypeVar("Row")


@dataclass(frozen=True)
class Account:
    """`chosen`: the URL is the visitor's own, so no key of the server goes there."""

    endpoint: Endpoint
    base_url: str
    key: Secret | None
    chosen: bool = False

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.host if self.chosen else self.endpoint.name

    @property
    def host(self) -> str:
        """Its address without path or credentials, for example `127.0.0.1:8000`."""
        parts = url_guard.check_url(self.base_url, public=False)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        return f"{host}:{parts.port}" if parts.port else host

    @property
    def root(self) -> str:
        """The address that paths, which begin with a slash, are put behind."""
        return self.base_url.rstrip("/")

    def reveal(self) -> str:
        """The key, or a filler for servers that need none: the clients insist on one."""
        return self.key.reveal() if self.key else "none"

    def headers(self, scheme: str = "Bearer") -> dict[str, str]:
        """The header that carries the key, where a provider takes it as HTTP has it."""
        return {"Authorization": f"{scheme} {self.reveal()}"}


def provider_account(provider: str, settings: Settings) -> Account:
    """The account at one of the providers with a backend of their own. Raises `MissingCredentials`."""
    return account_at(PROVIDERS[provider], settings)


def endpoint_account(variant: Variant, settings: Settings) -> Account:
    """The account at the variant's endpoint or at the URL that a visitor chose.

    Raises `MissingCredentials`, or `BackendError` for an address that may not be called.
    """
    if url := variant.options.get("base_url"):
        url_guard.check_url(url, public=settings.public)
        account = Account(ENDPOINTS[CUSTOM], url, settings.session_keys.get("CUSTOM_API_KEY"), chosen=True)
        return _reachable(account, settings)
    name = str(variant.options.get("endpoint", ""))
    if name not in ENDPOINTS or name == CUSTOM:
        raise BackendError(f"There is no server called {name!r}. Those known are: {', '.join(ENDPOINTS)}.")
    return account_at(ENDPOINTS[name], settings)


def listed_account(variant: Variant, settings: Settings, rows: Mapping[str, Any], cannot: str) -> Account:
    """The same, where only the servers in `rows` do what is wanted: `cannot` says so of another one.

    For a visitor's own URL only the key typed for it in that session. Raises as `endpoint_account`.
    """
    name = _named(variant)
    if name in ENDPOINTS and name not in rows:
        able = ", ".join(ENDPOINTS[each].name for each in rows if each in ENDPOINTS and each != CUSTOM)
        raise BackendError(f"{ENDPOINTS[name].name} {cannot}. Of the servers known, these do: {able}.")
    return endpoint_account(variant, settings)


def row_of(variant: Variant, rows: Mapping[str, Row]) -> Row:
    """The row of the variant's endpoint, or the one for servers that nothing is known of."""
    return rows.get(_named(variant), rows[CUSTOM])


def _named(variant: Variant) -> str:
    return str(variant.options.get("endpoint", CUSTOM))


def account_at(endpoint: Endpoint, settings: Settings) -> Account:
    """The account at that provider or server. Raises `MissingCredentials` or another `BackendError`."""
    given = next((settings.base_urls[n] for n in endpoint.url_names if n in settings.base_urls), None)
    if endpoint.local and settings.public and given is None:
        raise BackendError(
            f"Visitors use {endpoint.name} on this server only where its owner set {endpoint.id.upper()}_BASE_URL."
        )
    key = settings.key(endpoint.env_var) if endpoint.env_var else None
    if endpoint.env_var and not key:
        raise MissingCredentials(endpoint.name, endpoint.env_var)
    return _reachable(Account(endpoint, given or endpoint.base_url, key), settings)


def _reachable(account: Account, settings: Settings) -> Account:
    if settings.offline and not is_loopback(account.host):
        raise BackendError(f"This server is set to stay offline, so it doesn't call {account.name}.")
    return account


def is_loopback(host: str) -> bool:
    """Whether `host` (with or without a port) is this machine."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
