"""What providers honour when they speak: rows of `speaking.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shared.backends.base import Capabilities, Voice
from shared.backends.endpoints import Endpoint, Profile, matching, read_endpoints, read_models, read_profile


@dataclass(frozen=True, kw_only=True)
class SpeakingProfile(Profile):
    """`voices`: ids of the model's own, or `name:id`, the usual one first. `most`: characters that one call takes.

    `format` is what is asked for ("pcm", "wav", "mp3"…), `rate` the samples a second of raw PCM. `events`: it sends
    sound as server-sent events, with a word at the end. `style`: where instructions go ("field", "metadata" or
    "prompt"; "" is nowhere). `sent_as`: our setting to the field of the request body, where it is another.
    """

    voices: tuple[str, ...] = ()
    most: int = 4000
    format: str = "wav"
    rate: int = 24_000
    events: bool = False
    style: str = ""
    sent_as: Mapping[str, str] = field(default_factory=dict)

    def capabilities(self) -> Capabilities:
        """The same, as the engine and the screen read it."""
        return replace(super().capabilities(), voices=tuple(map(_voice, self.voices)))

    def voice(self, wanted: str | None) -> str:
        """The id of the voice wanted (None: the usual one), by its name or as it stands; "" where none is known."""
        known = self.capabilities().voices
        named = next((v.id for v in known if wanted and wanted.strip().lower() == v.name.lower()), None)
        return named or (wanted or "").strip() or (known[0].id if known else "")


def _voice(text: str) -> Voice:
    """From an id, or from a name and an id with a colon between."""
    name, _, voice = text.rpartition(":")
    return Voice(voice, name or voice[:1].upper() + voice[1:])


@dataclass(frozen=True)
class Speaker:
    """A provider that speaks."""

    default: SpeakingProfile
    models: tuple[tuple[tuple[str, ...], SpeakingProfile], ...] = ()

    def profile(self, model: str) -> SpeakingProfile:
        """What it honours for the model of that name."""
        return matching(self.models, model) or self.default


def _speaker(row: Mapping[str, Any]) -> Speaker:
    base, models = _listed(row.get("honours", {})), [_listed(each) for each in row.get("model", ())]
    return Speaker(read_profile(SpeakingProfile, base, {}), read_models(SpeakingProfile, base, models))


def _listed(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its voices as a tuple."""
    return {**row, "voices": tuple(row["voices"])} if "voices" in row else dict(row)


# providers of speech that have no other task
PROVIDERS: Mapping[str, Endpoint] = read_endpoints(Path(__file__).with_name("speech_providers.toml"))
# a provider's or endpoint's id -> what it honours; those that are not here say nothing
SPEAKERS: Mapping[str, Speaker] = {
    name: _speaker(row)
    for name, row in tomllib.loads(Path(__file__).with_name("speaking.toml").read_text(encoding="utf-8")).items()
}
