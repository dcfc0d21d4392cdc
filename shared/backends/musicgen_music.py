"""transformers: MusicGen, music from words as sound, on any torch device."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, require

if TYPE_CHECKING:
    from shared.backends.musicgen.model import MusicGenModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

PARAMETERS = frozenset({"seed", "duration", "temperature", "top_p", "guidance_scale"})
WHY_NOT = {
    "bars": "MusicGen makes sound, not notes; say how many seconds.",
    "top_logprobs": "MusicGen writes no notes.",
    "negative_prompt": "MusicGen reads what the music should be alone.",
    "num_inference_steps": "MusicGen writes tokens, not steps.",
}


class MusicGen:
    """A Hub id, or a folder in transformers' format, of the kind `musicgen`."""

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`."""
        for module in ("torch", "transformers"):
            require(module)

    def capabilities(self, variant: Variant) -> Capabilities:
        """The same for all its sizes."""
        return Capabilities(parameters=PARAMETERS, why_not=WHY_NOT, seed="best-effort")

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> MusicGenModel:
        """Download if need be, check and load. Raises `CorruptWeights`, `OutOfMemory`, `HubUnavailable`."""
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores
        from shared.backends.musicgen.model import MusicGenModel
        from shared.backends.transformers_text import quiet

        share_cores()
        quiet(settings)
        with failures.loading(variant):
            model, reader, revision = _read(variant, settings, emit)
        facts: dict[str, Any] = {
            "device": str(model.device.type),
            "dtype": str(model.dtype).removeprefix("torch."),
            "quantization": None,
            "revision": revision or variant.revision,
            "versions": {name: importlib.metadata.version(name) for name in ("torch", "transformers")},
        }
        return MusicGenModel(model, reader, self.capabilities(variant), facts)


def _read(variant: Variant, settings: Settings, emit: Emit) -> tuple[Any, Any, str | None]:
    import torch
    import transformers

    from shared.backends.local.loading import SAFE, read_config, read_model, torch_device
    from shared.backends.local.sources import find
    from shared.errors import BackendError
    from shared.events import Progress

    source = find(variant, settings, emit)
    kind = read_config(source.folder).model_type
    if kind != "musicgen":
        raise BackendError(f"{source.name} is of the kind {kind}, and only musicgen is run here. Choose another model.")
    device = torch_device(variant)
    emit(Progress(f"Loading {source.name}"))
    library: Any = transformers
    dtype = torch.float16 if device == "cuda" else torch.float32
    options = {"dtype": dtype, "use_safetensors": True, **SAFE}
    model = read_model(library.MusicgenForConditionalGeneration, source, options).to(device).eval()
    reader = library.AutoProcessor.from_pretrained(source.folder, **SAFE)
    return model, reader, source.revision
