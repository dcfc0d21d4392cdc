"""What an engine must be able to do. Everything above this line of the code knows only these protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, Protocol

from shared.errors import MissingDependency

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.requests import Request
    from shared.settings import Settings
    from shared.streaming import Emit

SeedKind = Literal["exact", "best-effort", "none"]


@dataclass(frozen=True)
class Voice:
    """A voice as a person chooses it: the `id` that a request names, and what it is. `language`: a BCP 47 tag."""

    id: str
    name: str
    language: str = ""
    about: str = ""


@dataclass(frozen=True)
class Control:
    """A way in which a picture can lead a drawing: the `id` that a request names, what it is called, and how a picture
    is usually read for it (a name of `shared.media.reading`)."""

    id: str
    name: str
    reader: str = ""


@dataclass(frozen=True, kw_only=True)
class Clips:
    """The clips that an engine makes. `frames`: how many where nobody says; `most` at once; their number less 1 is a
    multiple of `step`. `fps`: frames a second that the model was made for. `durations`: the only ones there are, in
    seconds, for engines that count in these."""

    frames: int = 24
    most: int = 240
    step: int = 1
    fps: float = 8.0
    durations: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What an engine can honour, known before anything is loaded.

    `parameters` are names of request fields. `why_not` gives the reason for a field it lacks, for the person
    who sees the control greyed out. `seed`: whether the same seed gives the same output. `voices`: those that it
    speaks with, the usual one first; `languages`: BCP 47 tags, for a model that must be told which. `clips`: of video.
    """

    # `jobs`: a run is a job at a provider that outlives this server (see `JobModel`).
    # Of pictures: `side` is that of the square that the model draws best, in pixels, `sizes` the only ones there are
    # ("1024x1024"), `controls` how a picture can lead it, and
    # `schedulers` diffusers' names of those that it takes, empty where that is not known before it is loaded.

    parameters: frozenset[str]
    why_not: Mapping[str, str] = field(default_factory=dict)
    seed: SeedKind = "none"
    images: bool = False
    thinking: bool = False
    context_length: int | None = None
    side: int | None = None
    sizes: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    schedulers: tuple[str, ...] = ()
    jobs: bool = False
    voices: tuple[Voice, ...] = ()
    languages: tuple[str, ...] = ()
    clips: Clips | None = None

    def reason(self, parameter: str, engine: str) -> str | None:
        """None where the parameter is honoured, otherwise why it is not."""
        if parameter in self.parameters:
            return None
        return self.why_not.get(parameter, f"{engine} has no such setting for this model.")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens as the engine counted them. `cached_tokens` is the part of the input read from a cache;
    `reasoning_tokens` the part of the output that was thinking; `input_image_tokens`, `output_image_tokens`,
    `output_audio_tokens` and `output_video_tokens` the parts that were no text, which have prices of their own;
    `input_characters` of a text, which some charge for instead. None: the engine did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    input_image_tokens: int | None = None
    output_image_tokens: int | None = None
    output_audio_tokens: int | None = None
    output_video_tokens: int | None = None
    input_characters: int | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a backend's run gives back; the engine makes the receipt from it.

    `facts` are receipt fields that only the backend knows, for example `served_model` or `request_id`;
    `unhonoured` there maps a setting that could not be followed in this run to the reason, and `notes` are words.
    """

    output: Any
    usage: Usage = field(default_factory=Usage)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Slowness:
    """A run that takes long on this machine: about how many seconds, and how many `small`, what is made by default."""

    seconds: float
    small: float


class LoadedModel(Protocol):
    """A model ready to run. `concurrency`: how many runs it serves at once; 0 is no limit."""

    capabilities: Capabilities
    concurrency: int
    # device, dtype, quantization, revision, versions (package -> version): as they really are
    facts: Mapping[str, Any]

    def count_tokens(self, request: Request) -> int | None:
        """Input tokens of the request, or None where the engine can't tell before it runs."""

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Run it. Emit often: that is where `Cancelled` is raised. Only honoured settings are set."""

    def close(self) -> None:
        """Give everything back. May be called twice."""


class JobModel(LoadedModel, Protocol):
    """A model whose runs are jobs at a provider: `Emit.job` is told what becomes of each, before anything else."""

    def resume(self, request: Request, upstream: str, emit: Emit, *, wait: bool = True) -> Outcome:
        """Go on with a job that the provider has by that id. Sends nothing a second time.

        `wait`: until it is done; otherwise `NotReady` is raised where it isn't.
        """

    def call_off(self, upstream: str, emit: Emit) -> None:
        """Have the provider stop that job, and tell `Emit.job` what came of it."""


class Backend(Protocol):
    """An engine. Making one is free; only `load` imports and allocates.

    It may also have `usual(variant, machine)`, values that go before a model's own on this machine; `estimate(variant,
    request, machine)`, the `Slowness` of a run that would take long; and `quote(variant, settings, request)`, its cost.
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`, `MissingCredentials` or another `BackendError` if it can't run here.

        Quick: no network, no import of the engine's library.
        """

    def capabilities(self, variant: Variant) -> Capabilities:
        """What it will honour for this variant, without loading it."""

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> LoadedModel:
        """Make it ready, reporting download and load progress through `emit`."""


def require(module: str, package: str | None = None) -> None:
    """Raise `MissingDependency` unless the module can be imported; imports nothing."""
    if find_spec(module) is None:
        raise MissingDependency(module, package or module)
