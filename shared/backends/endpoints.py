"""Where hosted models are served and what each takes: rows of `endpoints.toml` and `hosted/providers.toml`.

To add an OpenAI-compatible provider, add a row to `endpoints.toml`. No code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from shared.backends.base import Capabilities, SeedKind


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a provider honours for one model.

    `takes` names request fields; `why_not` gives the reason for others. `thinking` is how thinking is asked for
    (a word that the backend knows; "" is not at all), `efforts` what each reasoning effort becomes there.
    `limits` are the provider's own upper bounds; `one_of` are settings of which it takes only one at a time;
    `unless_thinking` are settings that it takes only while the model doesn't think.
    """

    takes: frozenset[str] = frozenset()
    why_not: Mapping[str, str] = field(default_factory=dict)
    seed: SeedKind = "none"
    images: bool = True
    thinking: str = ""
    efforts: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    one_of: tuple[str, ...] = ()
    unless_thinking: tuple[str, ...] = ()

    def capabilities(self) -> Capabilities:
        """The same, as the engine and the screen read it."""
        return Capabilities(
            parameters=self.takes,
            why_not=self.why_not,
            seed=self.seed,
            images=self.images,
            thinking=bool(self.thinking),
        )


P = TypeVar("P", bound=Profile)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A provider or server. `env_var` names its key, None where it needs none; `pricing` is a genai-prices id.

    `url_names` are the names under which a server's settings may point it elsewhere (`GROQ_BASE_URL` is `groq`).
    `local` servers run on the deployer's own machine. `sent_as` maps our setting names to fields of the request
    body that the OpenAI client has no argument for. `prefill` is what the body needs to continue an answer.
    `not_chat` are patterns of model names that are no chat models.
    """

    id: str
    name: str
    base_url: str
    env_var: str | None = None
    pricing: str | None = None
    docs: str = ""
    url_names: tuple[str, ...] = ()
    local: bool = False
    start_hint: str = ""
    sent_as: Mapping[str, str] = field(default_factory=dict)
    prefill: Mapping[str, Any] = field(default_factory=dict)
    not_chat: tuple[str, ...] = ()
    default: Profile = Profile()
    models: tuple[tuple[tuple[str, ...], Profile], ...] = ()

    def profile(self, model: str) -> Profile:
        """What it honours for the model of that name: the first row whose pattern matches, or the default."""
        return matching(self.models, model) or self.default

    def is_chat(self, model: str) -> bool:
        """Whether a model of that name is one to chat with."""
        return not any(fnmatchcase(model, pattern) for pattern in self.not_chat)


def matching(rows: Iterable[tuple[tuple[str, ...], P]], model: str) -> P | None:
    """The profile of the first row with a pattern that the model's name matches."""
    return next((p for patterns, p in rows if any(fnmatchcase(model, pattern) for pattern in patterns)), None)


def read_endpoints(path: Path) -> dict[str, Endpoint]:
    """The rows of a file, by their ids."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: _endpoint(name, dict(row)) for name, row in rows.items()}


def _endpoint(name: str, row: dict[str, Any]) -> Endpoint:
    models = row.pop("model", [])
    base = row.pop("honours", {})
    for listed in ("not_chat", "url_names"):
        row[listed] = tuple(row.get(listed, ()))
    row["url_names"] = row["url_names"] or (name,)
    return Endpoint(
        id=name,
        default=read_profile(Profile, base, {}),
        models=read_models(Profile, base, models),
        **row,
    )


def read_models(
    kind: type[P], base: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]
) -> tuple[tuple[tuple[str, ...], P], ...]:
    """The rows for models that differ, with the patterns of their names."""
    return tuple((tuple(each.pop("match")), read_profile(kind, base, each)) for each in map(dict, rows))


def read_profile(kind: type[P], base: Mapping[str, Any], model: Mapping[str, Any]) -> P:
    """A model's own row over its provider's. `refuses` (setting -> reason) takes settings away, `also` adds."""
    row = {**base, **model}
    refuses = row.pop("refuses", {})
    why_not = {**base.get("why_not", {}), **row.pop("why_not", {}), **refuses}
    takes = frozenset({*base.get("takes", ()), *row.pop("also", ())}) - set(refuses)
    row.pop("takes", None)
    for listed in ("one_of", "unless_thinking"):
        row[listed] = tuple(row.get(listed, ()))
    return kind(takes=takes, why_not={k: v for k, v in why_not.items() if k not in takes}, **row)


ENDPOINTS: Mapping[str, Endpoint] = read_endpoints(Path(__file__).with_name("endpoints.toml"))
PROVIDERS: Mapping[str, Endpoint] = read_endpoints(Path(__file__).parent / "hosted" / "providers.toml")
