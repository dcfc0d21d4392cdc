"""Everything the environment can set. The only module that reads environment variables."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

Safety = Literal["off", "standard", "strict"]
Log = Literal["text", "json"]
PoolKind = Literal["local", "ray", "zerogpu"]


class Secret:
    """A key that doesn't show itself: its repr and str are dots, and it refuses to be pickled."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value.strip()

    def reveal(self) -> str:
        """The key itself. Call it only where it is handed to a provider's client."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "•••"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not to be written anywhere")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this server was set up, and (for one session) the keys its user typed.

    Memory is in GiB, times are in seconds.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    public: bool = False  # reachable by others: user-chosen URLs may then not point into the server's own network
    offline: bool = False
    open_browser: bool = False
    space_id: str | None = None
    data_dir: Path = Path.home() / ".cache" / "genai-playgrounds"
    weights_dir: Path | None = None  # where the project's own starter models lie, if not in the project
    memory_budget_gb: float | None = None  # for loaded models, per device; None: what is free
    max_prompt_chars: int = 400_000
    max_speech_chars: int = 40_000  # of a text to be spoken: about 45 minutes, 130 MB of samples
    connect_timeout: float = 10.0
    first_output_timeout: float = 60.0
    idle_timeout: float = 120.0  # between two pieces of a hosted answer; a model that thinks unseen is silent for long
    picture_timeout: float = 300.0  # for a hosted picture, or the next preview of it
    total_timeout: float = 600.0
    job_timeout: float = 1800.0  # for a job at a provider to be watched; it is kept, and may be gone on with
    job_poll: float | None = None  # between two looks at it; None: as often as each provider likes
    hub_timeout: float = 5.0
    drain_seconds: float = 8.0  # that runs get to end in when the server is told to stop; Docker kills after 10
    threads: int | None = None
    pool: PoolKind = "local"  # where models run: in this process, on a Ray cluster, or in forks that are lent a GPU
    cluster_file: Path | None = None  # TOML that describes the cluster
    placed: tuple[str, ...] = ()  # models to load before a start on ZeroGPU; none: the starters
    c2pa_cert: Path | None = None  # PEM files to sign pictures with: the certificate and those above it, and its key
    c2pa_key: Path | None = None
    safety: Safety = "standard"  # how careful the check of finished pictures is
    proxied: bool = False  # reached through a tunnel or a proxy, though it listens on this machine alone: public too
    root_path: str = ""  # under which a proxy shows the server, such as /lab
    metrics: bool | None = None  # whether /metrics is served; None: unless the server is public
    log: Log = "text"
    log_prompts: bool = False  # into logs, traces and history
    otlp_endpoint: str | None = None  # where traces are sent
    sharing: bool = True  # whether visitors may show outputs at addresses of this server
    history: int = 200  # receipts kept for each owner
    budget_usd: float | None = None  # that hosted runs may cost the server's keeper altogether
    classroom: bool = False  # the hub is a class: people join with a code, and a teacher leads
    class_passphrase: Secret | None = None  # the teacher's; None: one is made at the start and printed
    database_url: Secret | None = None  # of a PostgreSQL that servers share; None: a file in `data_dir`
    server_keys: Mapping[str, Secret] = field(default_factory=dict)
    session_keys: Mapping[str, Secret] = field(default_factory=dict)
    base_urls: Mapping[str, str] = field(default_factory=dict)  # endpoint or provider name -> URL set by the server

    def key(self, env_var: str) -> Secret | None:
        """The key by that environment variable's name: the session's own first, then the server's."""
        return self.session_keys.get(env_var) or self.server_keys.get(env_var)

    def without_keys(self, text: str) -> str:
        """The text with dots in place of every key that is set here."""
        own = (self.database_url, self.class_passphrase)
        hidden = (*self.session_keys.values(), *self.server_keys.values(), *own)
        for key in hidden:
            text = text.replace(key.reveal(), str(key)) if key else text
        return text

    def with_session_keys(self, keys: Mapping[str, str]) -> Settings:
        """A copy for one session; blank entries are left out."""
        return replace(self, session_keys={name: Secret(k) for name, k in keys.items() if k and k.strip()})

    def for_nodes(self) -> Settings:
        """A copy that may go to other machines: no key is in it, nor what is meant for a provider or a signature."""
        kept_back: dict[str, Any] = {"server_keys": {}, "session_keys": {}, "base_urls": {}, "database_url": None}
        return replace(self, **kept_back, c2pa_cert=None, c2pa_key=None, pool="local", cluster_file=None)

    def on_host(self, host: str) -> Settings:
        """A copy that listens on that address; any but loopback makes it public."""
        public = self.space_id is not None or self.proxied or host not in _LOOPBACK
        return replace(self, host=host, public=public)


HUB_TOKEN = "HF_TOKEN"
KEY_VARIABLES = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "HF_TOKEN",
    "GROQ_API_KEY",
    "MISTRAL_API_KEY",
    "DEEPSEEK_API_KEY",
    "TOGETHER_API_KEY",
    "OPENROUTER_API_KEY",
    "ELEVENLABS_API_KEY",
    "RUNWAYML_API_SECRET",
    "FAL_KEY",
    "REPLICATE_API_TOKEN",
    "TRIPO_API_KEY",
    "CUSTOM_API_KEY",
)
_ALIASES = {"GEMINI_API_KEY": ("GOOGLE_API_KEY",), "HF_TOKEN": ("HUGGING_FACE_HUB_TOKEN",)}
_URL_SUFFIX = "_BASE_URL"
_ROOT = re.compile(r"(?a:(?:https?://[\w.:\[\]-]+)?((?:/[\w.~-]+){0,4})/?)")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises `ValueError` naming the variable whose value can't be read."""
    env = os.environ if environ is None else environ
    defaults = Settings()
    host = env.get("PLAYGROUND_HOST") or env.get("GRADIO_SERVER_NAME") or defaults.host
    space_id = env.get("SPACE_ID") or None
    return Settings(
        host=host,
        port=_number(env, "PLAYGROUND_PORT", int, None) or _number(env, "GRADIO_SERVER_PORT", int, defaults.port),
        public=bool(space_id) or _flag(env, "PLAYGROUND_PUBLIC") or host not in _LOOPBACK,
        proxied=_flag(env, "PLAYGROUND_PUBLIC"),
        offline=_flag(env, "PLAYGROUND_OFFLINE") or _flag(env, "HF_HUB_OFFLINE"),
        open_browser=_flag(env, "PLAYGROUND_OPEN_BROWSER"),
        space_id=space_id,
        data_dir=_path(env, "PLAYGROUND_DATA") or defaults.data_dir,
        weights_dir=_path(env, "PLAYGROUND_WEIGHTS"),
        memory_budget_gb=_number(env, "PLAYGROUND_MEMORY_GB", float, None),
        max_prompt_chars=_number(env, "PLAYGROUND_MAX_PROMPT_CHARS", int, defaults.max_prompt_chars),
        max_speech_chars=_number(env, "PLAYGROUND_MAX_SPEECH_CHARS", int, defaults.max_speech_chars),
        connect_timeout=_number(env, "PLAYGROUND_CONNECT_TIMEOUT", float, defaults.connect_timeout),
        first_output_timeout=_number(env, "PLAYGROUND_FIRST_OUTPUT_TIMEOUT", float, defaults.first_output_timeout),
        idle_timeout=_number(env, "PLAYGROUND_IDLE_TIMEOUT", float, defaults.idle_timeout),
        picture_timeout=_number(env, "PLAYGROUND_PICTURE_TIMEOUT", float, defaults.picture_timeout),
        total_timeout=_number(env, "PLAYGROUND_TOTAL_TIMEOUT", float, defaults.total_timeout),
        job_timeout=_number(env, "PLAYGROUND_JOB_TIMEOUT", float, defaults.job_timeout),
        job_poll=_number(env, "PLAYGROUND_JOB_POLL", float, None),
        hub_timeout=_number(env, "PLAYGROUND_HUB_TIMEOUT", float, defaults.hub_timeout),
        drain_seconds=_number(env, "PLAYGROUND_DRAIN_SECONDS", float, defaults.drain_seconds),
        threads=_number(env, "PLAYGROUND_THREADS", int, None),
        c2pa_cert=_path(env, "PLAYGROUND_C2PA_CERT"),
        c2pa_key=_path(env, "PLAYGROUND_C2PA_KEY"),
        pool=_one_of(env, "PLAYGROUND_POOL", PoolKind, "zerogpu" if _flag(env, "SPACES_ZERO_GPU") else defaults.pool),
        cluster_file=_path(env, "PLAYGROUND_CLUSTER"),
        placed=tuple(name.strip() for name in env.get("PLAYGROUND_PLACED", "").split(",") if name.strip()),
        safety=_one_of(env, "PLAYGROUND_SAFETY", Safety, defaults.safety),
        root_path=_root_path(env),
        metrics=_flag(env, "PLAYGROUND_METRICS") if env.get("PLAYGROUND_METRICS", "").strip() else None,
        log=_one_of(env, "PLAYGROUND_LOG", Log, defaults.log),
        log_prompts=_flag(env, "PLAYGROUND_LOG_PROMPTS"),
        otlp_endpoint=env.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip() or None,
        sharing=_flag(env, "PLAYGROUND_SHARING", defaults.sharing),
        history=_number(env, "PLAYGROUND_HISTORY", int, defaults.history),
        budget_usd=_number(env, "PLAYGROUND_BUDGET_USD", float, None),
        classroom=_flag(env, "PLAYGROUND_CLASS"),
        class_passphrase=_secret(env, "PLAYGROUND_CLASS_PASSPHRASE"),
        database_url=_database(env),
        server_keys=_keys(env),
        base_urls={
            name.removesuffix(_URL_SUFFIX).lower(): value
            for name, value in env.items()
            if name.endswith(_URL_SUFFIX) and value
        },
    )


def _keys(env: Mapping[str, str]) -> dict[str, Secret]:
    found = {}
    for name in KEY_VARIABLES:
        value = next((env[n] for n in (name, *_ALIASES.get(name, ())) if env.get(n, "").strip()), None)
        if value:
            found[name] = Secret(value)
    return found


def _database(env: Mapping[str, str]) -> Secret | None:
    """The address of a PostgreSQL: a secret, since it holds a password."""
    text = env.get("DATABASE_URL", "").strip()
    if text and text.partition("://")[0] not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError(
            "DATABASE_URL must begin with postgresql://; leave it unset for a SQLite file on this machine."
        )
    return Secret(text) if text else None


def _root_path(env: Mapping[str, str]) -> str:
    if (found := _ROOT.fullmatch(env.get("GRADIO_ROOT_PATH", "").strip())) is None:
        raise ValueError("GRADIO_ROOT_PATH must be a path such as /lab, or an address such as https://example.com/lab.")
    return found[1]


def _secret(env: Mapping[str, str], name: str) -> Secret | None:
    text = env.get(name, "").strip()
    return Secret(text) if text else None


def _path(env: Mapping[str, str], name: str) -> Path | None:
    text = env.get(name, "").strip()
    return Path(text).expanduser() if text else None


def _one_of(env: Mapping[str, str], name: str, kind, default):  # type: ignore[no-untyped-def]
    text = env.get(name, "").strip().lower() or default
    if text not in get_args(kind):
        raise ValueError(f"{name} must be one of {', '.join(get_args(kind))}; it is {text!r}.")
    return text


def _flag(env: Mapping[str, str], name: str, default: bool = False) -> bool:
    text = env.get(name, "").strip().lower()
    return text in {"1", "true", "yes", "on"} if text else default


def _number(env: Mapping[str, str], name: str, kind: type, default):  # type: ignore[no-untyped-def]
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{name} must be a number; it is {text!r}.") from None


def on_node(settings: Settings, joined: bool) -> Settings:
    """The front's settings as they hold in a process of its cluster, which has a Hub token of its own or none.

    `joined`: on a cluster of other machines, where files lie as that machine's own environment says.
    """
    own = from_environment()
    hub = {name: key for name, key in own.server_keys.items() if name == HUB_TOKEN}
    there = replace(settings, server_keys=hub)
    if not joined:
        return there
    there = replace(there, data_dir=own.data_dir, weights_dir=own.weights_dir)
    return replace(there, threads=own.threads or settings.threads, memory_budget_gb=own.memory_budget_gb)


def prepare_ray(alone: bool) -> None:
    """What Ray reads from the environment when it is imported. `alone`: it is to start a cluster of this machine only.

    Such a one listens on loopback, as Ray does by itself where it takes a machine for a laptop; and it answers nobody
    but this process and its children, who alone have its token.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"  # a call after the end would start another, open to the network
    os.environ["RAY_SERVE_LOG_TO_STDERR"] = "0"
    # Seconds between looks for a free place. With Ray's own 0.5 a replica that had work waiting stood idle for 40% of
    # the time (runs of half a second).
    os.environ["RAY_SERVE_ROUTER_RETRY_MAX_BACKOFF_S"] = "0.05"
    if alone:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        os.environ.update({"RAY_worker_niceness": "0"})  # 15 by itself: any other process would go before people's runs
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = _token()


@cache
def _token() -> str:
    return secrets.token_hex(32)  # one for the life of the process: Ray reads it once


def environment_of_nodes(code: str, threads: int | None) -> dict[str, str]:
    """The environment of a replica: where the code lies, and none of the front's keys but that for the Hub.

    `threads`: of OpenMP, which Ray would hold to the processors that a replica counts for.
    """
    blank = {name: "" for name in KEY_VARIABLES if name != HUB_TOKEN}
    blank |= {alias: "" for name, aliases in _ALIASES.items() if name != HUB_TOKEN for alias in aliases}
    return blank | {"PYTHONPATH": code} | ({"OMP_NUM_THREADS": str(threads)} if threads else {})
