"""Every error a person can meet, and what each tells them to do next.

    InferenceError
    ├── InvalidRequest                 the request itself is wrong: change it
    │   └── ContextOverflow            the conversation is longer than the model reads: trim it
    ├── UnknownModel                   no such model id, path or repository
    ├── UnknownJob                     no such job, or somebody else's
    ├── NoBackendAvailable             no engine of the chosen mode can run it here; .reasons says why
    ├── LimitReached                   a limit of this server; .retry_after
    └── BackendError                   an engine failed; .retryable
        ├── MissingDependency          .extra names the package to install
        ├── MissingCredentials         .env_var names the key
        ├── OutOfMemory                .needed_gb, .free_gb
        ├── CorruptWeights             a broken, truncated or refused weights file
        ├── HubUnavailable             the model hub can't be reached and the files are not here yet
        ├── ClusterUnavailable         the cluster that runs the models can't be reached, or can't start one
        ├── ReplicaLost                the process or machine that ran the model died
        └── ProviderError              .provider
            ├── KeyRefused             the provider doesn't take the key
            ├── RateLimited            .retry_after in seconds
            ├── ProviderTimeout
            ├── ProviderUnavailable    5xx, refused or dropped connections
            ├── StreamCut              the answer broke off; what came is kept
            ├── ContentFiltered        never retried elsewhere
            ├── NotReady               a job that still goes on at the provider: look again later
            └── ModelRetired           .successor
    Cancelled (a BaseException)        the person pressed Stop or left

The text of each error is written for the person at the screen. It never holds a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.events import Final


class Cancelled(BaseException):
    """The run was stopped. A BaseException, so that no `except Exception` swallows it."""


class InferenceError(Exception):
    """Base of every error that is the reader's to act on.

    `partial` is set by the engine when output had begun: a `Final` holding what came and its receipt.
    """

    retryable = False
    partial: Final | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is otherwise made again by calling its class with its text alone.
        return _restored, (type(self), self.args, self.__dict__)

    @property
    def kind(self) -> str:
        """A stable name for APIs and metrics, for example `rate_limited`."""
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in type(self).__name__).lstrip("_")


def _restored(kind: type[InferenceError], args: tuple[Any, ...], state: dict[str, Any]) -> InferenceError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidRequest(InferenceError):
    """The request can't be run as it stands."""


class ContextOverflow(InvalidRequest):
    """The conversation needs more tokens than the model reads."""

    def __init__(self, needed: int, limit: int, *, estimated: bool = False) -> None:
        self.needed, self.limit, self.estimated = needed, limit, estimated
        needs = f"This conversation needs {needed:,} tokens and the model reads {limit:,}."
        if estimated:
            needs = f"This conversation needs about {needed:,} tokens and the model reads {limit:,}."
        super().__init__(
            f"{needs} Trim the oldest messages, shorten the prompt, lower the maximum answer length, "
            "or choose a model with a longer context."
        )


class UnknownModel(InferenceError):
    """No model by that name."""


class UnknownJob(InferenceError):
    """No job by that id for whoever asks."""

    def __init__(self) -> None:
        super().__init__("There is no such job here, or it was sent from another browser. See the list of yours.")


class NoBackendAvailable(InferenceError):
    """No engine can run this model here; `reasons` holds one line for each that was refused."""

    def __init__(self, model: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        listed = "\n".join(f"- {reason}" for reason in self.reasons)
        super().__init__(f"{model} can't run here in the chosen mode:\n{listed}")


class LimitReached(InferenceError):
    """A limit of this server was reached."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class BackendError(InferenceError):
    """An engine failed while it loaded or ran a model."""

    def __init__(self, message: str, *, retryable: bool | None = None) -> None:
        super().__init__(message)
        if retryable is not None:
            self.retryable = retryable


class MissingDependency(BackendError):
    """A package this engine needs is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"This engine needs the package {package}. Install it with: pip install {extra}")


class MissingCredentials(BackendError):
    """No key for this provider."""

    def __init__(self, provider: str, env_var: str) -> None:
        self.provider, self.env_var = provider, env_var
        super().__init__(
            f"{provider} needs a key. Type yours under “Your keys”, or set {env_var} before starting the server."
        )


class OutOfMemory(BackendError):
    """The model doesn't fit in memory (GiB)."""

    def __init__(self, needed_gb: float | None = None, free_gb: float | None = None, advice: str = "") -> None:
        self.needed_gb, self.free_gb = needed_gb, free_gb
        sizes = f" It needs about {needed_gb:.1f} GB." if needed_gb else ""
        if needed_gb and free_gb is not None:
            sizes = f" It needs about {needed_gb:.1f} GB and {free_gb:.1f} GB is free."
        super().__init__(
            f"There is not enough memory for this model.{sizes} "
            + (advice or "Unload other models, or choose a smaller or quantized one.")
        )


class CorruptWeights(BackendError):
    """A weights file is broken, cut short, or of a kind that is refused (pickle)."""


class HubUnavailable(BackendError):
    """The Hugging Face Hub didn't answer, and the model's files are not on this machine."""


class ClusterUnavailable(BackendError):
    """The cluster that runs the models can't be reached, or can't start what it is asked for."""


class ReplicaLost(BackendError):
    """The process or the machine that ran the model died. Another one takes its place by itself."""

    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "The process that ran this model ended in the middle of it. What came is kept, and another one is being "
            "started in its place: try again."
        )


class ProviderError(BackendError):
    """A hosted provider failed or refused."""

    def __init__(self, provider: str, message: str, *, retryable: bool | None = None) -> None:
        self.provider = provider
        super().__init__(message, retryable=retryable)


class KeyRefused(ProviderError):
    """The provider doesn't take the key, or the key may not use the model."""

    def __init__(self, provider: str, env_var: str | None) -> None:
        on_server = f", or {env_var} on the server" if env_var else ""
        super().__init__(
            provider,
            f"{provider} refused the key. Check it under “Your keys”{on_server}: "
            "it may be mistyped, expired or not for this model.",
        )


class RateLimited(ProviderError):
    """Too many requests; `retry_after` is the provider's own wish in seconds, where it gave one."""

    retryable = True

    def __init__(self, provider: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        wait = f"Try again in {retry_after:.0f} seconds." if retry_after else "Wait a little and try again."
        super().__init__(provider, f"{provider} says: too many requests, or your quota is used up. {wait}")


class ProviderTimeout(ProviderError):
    """The provider didn't answer in time."""

    retryable = True

    def __init__(self, provider: str, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            provider, f"{provider} didn't answer within {seconds:.0f} seconds. Try again, or choose another engine."
        )


class ProviderUnavailable(ProviderError):
    """The provider answered with a server error, or can't be reached."""

    retryable = True


class StreamCut(ProviderError):
    """The connection broke in mid-answer."""

    def __init__(self, provider: str) -> None:
        super().__init__(provider, f"The answer from {provider} broke off. What came is kept; try again for the rest.")


class ContentFiltered(ProviderError):
    """The provider's content filter stopped the request or the answer. Never retried elsewhere."""

    def __init__(self, provider: str, detail: str = "") -> None:
        super().__init__(
            provider,
            f"{provider}'s content filter stopped this. {detail}".rstrip() + " Rephrase the prompt and try again.",
        )


class NotReady(ProviderError):
    """A job that still goes on at the provider; `progress` from 0 to 1 where it says so."""

    def __init__(self, provider: str, progress: float | None = None) -> None:
        self.progress = progress
        far = "" if progress is None else f" ({progress:.0%})"
        super().__init__(provider, f"{provider} is still at work on it{far}. Look again in a little while.")


class ModelRetired(ProviderError):
    """The provider no longer serves this model."""

    def __init__(self, provider: str, model: str, successor: str | None = None) -> None:
        self.model, self.successor = model, successor
        use = f"Use {successor} instead." if successor else "Choose another model."
        super().__init__(provider, f"{provider} no longer serves {model}. {use}")
