"""hibari: small English voices in int8, run by onnxruntime on the processor. The project's starter for speech."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.audio.voices import voices
from shared.backends.base import Capabilities, require
from shared.backends.local.facts import versions as versions_of
from shared.errors import BackendError

if TYPE_CHECKING:
    from shared.backends.speech.hibari import HibariModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

PACKAGE, FILE = "hibari", "assets/hibari.onnx"
_WHY_NOT = {
    "language": "It speaks English alone.",
    "instructions": "It reads a text in one manner.",
    "temperature": "It has nothing to draw but the noise of breath, which the seed sets.",
    "guidance_scale": "It has no guidance.",
}


class HibariSpeech:
    """`variant.options["voices"]`: the list of its voices in `voices.toml`."""

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`, or `BackendError` where the weights are not there."""
        from shared.starter import locate

        require("hibari", "hibari-tts==0.2.1")
        require("onnxruntime")
        locate(PACKAGE, FILE)
        if variant.device not in {"auto", "cpu"}:
            raise BackendError("hibari runs on the processor.")

    def capabilities(self, variant: Variant) -> Capabilities:
        """Its voices and what it can be told. One seed gives one sound on one machine."""
        return Capabilities(
            parameters=frozenset({"seed", "voice", "speed", "speakers"}),
            why_not=_WHY_NOT,
            seed="exact",
            voices=voices(str(variant.options.get("voices", PACKAGE))),
        )

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> HibariModel:
        """The network and the dictionaries. Raises `CorruptWeights`."""
        from shared.backends.speech.hibari import HibariModel
        from shared.events import Progress
        from shared.starter import verify

        path = verify(PACKAGE, FILE, settings.data_dir)
        emit(Progress("Loading the voice"))
        from hibari import Hibari

        engine = Hibari(model=str(path), threads=settings.threads or 1)
        versions = versions_of("hibari-tts", "onnxruntime")
        facts = {"device": "cpu", "dtype": "int8", "quantization": "int8", "versions": versions, "noise_device": "cpu"}
        return HibariModel(engine, str(variant.options.get("voices", PACKAGE)), self.capabilities(variant), facts)
