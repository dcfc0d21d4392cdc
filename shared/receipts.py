"""A receipt: what a run really was. Every output carries one, and a screen can be restored from it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """Where the time went. `first_output` counts from the start of the run proper, after queue and load."""

    queue: float = 0.0
    load: float = 0.0
    first_output: float | None = None
    total: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What ran, where, with what, and what it took. No prompt, no key.

    `cost_usd` is None where nobody gave a price; `cost_note` then says why ("unpriced", never 0).
    `memory_gb` is what the model added to this process (GiB), None for hosted models.
    `audio_seconds` is how long the sound is; `realtime_factor` the seconds of work for each second of it, loading and
    queueing left out.
    `unhonoured` maps a setting that the engine could not follow to the reason.
    """

    model: str
    name: str
    task: str
    backend: str
    mode: str
    license: str
    starter: bool = False
    repo_id: str = ""
    revision: str | None = None
    filename: str | None = None
    device: str | None = None
    dtype: str | None = None
    quantization: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    seed_kind: str = "none"
    noise_device: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    unhonoured: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: Seconds = field(default_factory=Seconds)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    tokens_per_second: float | None = None
    audio_seconds: float | None = None
    realtime_factor: float | None = None
    memory_gb: float | None = None
    cost_usd: float | None = None
    cost_note: str = "unpriced"
    finish_reason: str | None = None
    created: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; fields without a value are left out."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value not in (None, {}, (), "")}

    def to_json(self) -> str:
        """The receipt as indented JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, default=str)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Receipt:
        """Read a receipt back, ignoring fields of a later format. Raises `ValueError` if it is none."""
        try:
            values = _known(cls, data)
            values["seconds"] = Seconds(**_known(Seconds, values.get("seconds", {})))
            values["notes"] = tuple(values.get("notes", ()))
            return cls(**values)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"This is not a receipt: {error}") from None


def _known(cls: type[Receipt] | type[Seconds], data: Mapping[str, Any]) -> dict[str, Any]:
    """What of the data the class has a field for."""
    names = {f.name for f in dataclasses.fields(cls)}
    return {name: value for name, value in data.items() if name in names}
