"""Providers that run many models, each as a job in one queue: how they are asked, whatever the model makes.

fal: https://fal.ai/docs/inference-api/queue. Replicate: https://replicate.com/docs/reference/http
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from shared.backends.hosted.account import Account, account_at
from shared.backends.hosted.clips import PROVIDERS
from shared.backends.hosted.frame import PieceT, ProfileT, RequestT
from shared.backends.hosted.job_frame import JobFrame, Seen, Sent
from shared.backends.hosted.queues import QUEUES, Queue, Wanted

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

Asked = tuple[str, dict[str, Any]]  # a path, and the body that goes there


@dataclass(frozen=True, kw_only=True)
class Host:
    """`provider`: its id among the providers and in prices.toml. `scheme`: what stands before the key.

    `sending`: where a model's input goes, and in what form. `calling_off`: the method and the end of the path that
    stop a job. `about`: where a model's newest version stands, for hosts that refuse some models without one.
    """

    provider: str
    queue: Queue
    scheme: str
    sending: Callable[[str, dict[str, Any]], Asked]
    calling_off: tuple[str, str]
    about: str = ""


FAL = Host(
    provider="fal",
    queue=QUEUES["fal-ai"],
    scheme="Key",
    sending=lambda model, given: (f"/{model}", given),
    calling_off=("PUT", "/cancel"),
)
# `version` is `owner/name` of Replicate's official models, and `owner/name:version` of all others.
REPLICATE = Host(
    provider="replicate",
    queue=QUEUES["replicate"],
    scheme="Bearer",
    sending=lambda model, given: ("/v1/predictions", {"version": model, "input": given}),
    calling_off=("POST", "/cancel"),
    about="/v1/models/",
)


class AtHost(JobFrame[RequestT, ProfileT, PieceT]):
    """Models by their names at the host in `variant.repo_id`. A backend says what goes into the input."""

    package = distribution = "httpx2"
    cancels = True
    host: ClassVar[Host]
    wanted: ClassVar[Wanted]

    @abstractmethod
    def given(self, call: Any) -> dict[str, Any]:
        """The model's input."""

    def named(self, call: Any) -> str:
        """The model to ask."""
        name: str = call.variant.repo_id
        return name

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return account_at(PROVIDERS[self.host.provider], settings)

    async def submit(self, call: Any, prepared: Any) -> Sent:
        """Into the queue. A model that is refused without a version is sent again with its newest."""
        name = self.named(call)
        answer = await self._asked(call, name)
        if answer.status_code in {404, 422} and self.host.about and ":" not in name:
            version = await self._newest(call, name)
            answer = await self._asked(call, f"{name}:{version}") if version else answer
        answer.raise_for_status()
        return Sent(upstream=self.host.queue.path(answer.json()))

    async def _asked(self, call: Any, name: str) -> Any:
        path, body = self.host.sending(name, self.given(call))
        return await call.http.post(f"{_root(call)}{path}", json=body, headers=self._headers(call))

    async def _newest(self, call: Any, name: str) -> str:
        """The model's newest version, "" where there is none to be had: the refusal is then told as it was."""
        with suppress(Exception):
            answer = await call.http.get(f"{_root(call)}{self.host.about}{name}", headers=self._headers(call))
            answer.raise_for_status()
            return str(answer.json()["latest_version"]["id"])
        return ""

    async def look(self, call: Any, upstream: str) -> Seen:
        """Only the path is taken from what the host said."""

        async def ask(path: str) -> Any:
            return await call.http.get(f"{_root(call)}{path}", headers=self._headers(call))

        return await self.host.queue.look(ask, upstream, call.name, self.wanted)

    async def stop(self, call: Any, upstream: str) -> None:
        """A job in the queue is taken out; one that runs is told to stop."""
        method, ending = self.host.calling_off
        answer = await call.http.request(method, f"{_root(call)}{upstream}{ending}", headers=self._headers(call))
        answer.raise_for_status()

    def _headers(self, call: Any) -> dict[str, str]:
        told: dict[str, str] = call.account.headers(self.host.scheme)
        return told


def _root(call: Any) -> str:
    address: str = call.account.root
    return address
