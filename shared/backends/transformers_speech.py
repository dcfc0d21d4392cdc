"""transformers: models that speak, from safetensors, on any torch device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.audio.voices import voices
from shared.backends.base import Capabilities, require
from shared.backends.local.facts import versions as versions_of

if TYPE_CHECKING:
    from shared.backends.speech.torch_speaker import TorchSpeaker
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

# What some family or other can do, for a model whose family isn't known before it is loaded.
ANY = frozenset({"seed", "voice", "speed", "speakers", "temperature", "guidance_scale", "reference"})
WHY_NOT = {
    "language": "These models speak the language that they were trained on.",
    "instructions": "These models read a text in one manner.",
    "reference": "Of these models, CSM, Dia, Pocket TTS and VibeVoice can.",
}

_BESIDES = {"speecht5": "sentencepiece", "vibevoice": "diffusers"}  # what a family needs besides


class TransformersSpeech:
    """VITS and MMS, SpeechT5, Bark, CSM, Dia, Pocket TTS and VibeVoice. `variant.options`:

    `family` (transformers' name for its kind, where what it can do is to be known before it is loaded), `voices` (a
    list in `voices.toml`), `vocoder` (SpeechT5: a path or Hub id), `language` (a tag, where it speaks one alone).
    SpeechT5's voices by name are vectors in a file `speakers.safetensors` beside it.
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`."""
        for module in ("torch", "transformers"):
            require(module)
        if beside := _BESIDES.get(str(variant.options.get("family"))):
            require(beside)

    def capabilities(self, variant: Variant) -> Capabilities:
        """What the family can do; for one that isn't known yet, what any can."""
        from shared.backends.speech.families import TAKES

        family = str(variant.options.get("family", ""))
        return Capabilities(
            parameters=TAKES.get(family, ANY),
            why_not=WHY_NOT,
            seed="best-effort",
            voices=voices(str(variant.options.get("voices", ""))),
        )

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> TorchSpeaker:
        """Download if need be, check and load. Raises `CorruptWeights`, `OutOfMemory`, `HubUnavailable`."""
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores
        from shared.backends.speech.loading import load
        from shared.backends.speech.torch_speaker import TorchSpeaker
        from shared.backends.transformers_text import quiet

        share_cores()
        quiet(settings)
        with failures.loading(variant):
            loaded = load(variant, settings, emit)
        versions = versions_of("torch", "transformers")
        facts = {"device": loaded.device, "dtype": loaded.dtype, "revision": loaded.revision, "versions": versions}
        if "language" in variant.options:
            facts["language"] = variant.options["language"]
        return TorchSpeaker(loaded, self.capabilities(variant), facts)
