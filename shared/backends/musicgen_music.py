"""transformers: MusicGen, music from words as sound, on any torch device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, require
from shared.backends.local.facts import facts
from shared.errors import BackendError

if TYPE_CHECKING:
    from shared.backends.musicgen.model import MusicGenModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

PARAMETERS = frozenset({"seed", "duration", "temperature", "top_p", "guidance_scale"})
KINDS: Mapping[str, tuple[str, str, str]] = {  # transformers' kind -> its class, what reads for it, what it can besides
    "musicgen": ("MusicgenForConditionalGeneration", "AutoProcessor", "lead_in"),
    "musicgen_melody": ("MusicgenMelodyForConditionalGeneration", "AutoTokenizer", "melody"),
}
WHY_NOT = {
    "beginning": "MusicGen goes on from a recording, not from notes.",
    "melody": "MusicGen melody can.",
    "lead_in": "MusicGen small and medium can.",
    "bars": "MusicGen makes sound, not notes; say how many seconds.",
    "top_logprobs": "MusicGen writes no notes.",
    "negative_prompt": "MusicGen reads what the music should be alone.",
    "num_inference_steps": "MusicGen writes tokens, not steps.",
}


class MusicGen:
    """A Hub id, or a folder in transformers' format, of the kinds in `KINDS`.

    `variant.options["family"]`: its kind, where what it can do is to be known before it is loaded.
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`."""
        for module in ("torch", "transformers"):
            require(module)
        if variant.quantization and variant.device != "cpu":
            raise BackendError("MusicGen runs in int8 on the processor alone.")

    def capabilities(self, variant: Variant) -> Capabilities:
        """The same for all its sizes; where its kind isn't known yet, what any can."""
        family = variant.options.get("family")
        more = {able for kind, (*_, able) in KINDS.items() if family in {None, kind}}
        return Capabilities(parameters=PARAMETERS | more, why_not=WHY_NOT, seed="best-effort")

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
        device, dtype = str(model.device.type), str(model.dtype).removeprefix("torch.")
        told = facts(variant, "torch", "transformers", device=device, dtype=dtype, revision=revision)
        return MusicGenModel(model, reader, self.capabilities(variant), told)


def _quantize(writer: Any) -> None:
    """The weights of the part that writes tokens, in int8; what comes to them is quantized as it comes."""
    import warnings

    import torch

    quantization: Any = torch.ao.quantization
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated; torchao's successor to this was slower here
        quantization.quantize_dynamic(writer, {torch.nn.Linear}, dtype=torch.qint8, inplace=True)


def _read(variant: Variant, settings: Settings, emit: Emit) -> tuple[Any, Any, str | None]:
    import torch
    import transformers

    from shared.backends.local.loading import SAFE, read_config, read_model, torch_device
    from shared.backends.local.sources import find
    from shared.events import Progress

    source = find(variant, settings, emit)
    kind = read_config(source.folder).model_type
    if kind not in KINDS:
        known = ", ".join(KINDS)
        raise BackendError(f"{source.name} is of the kind {kind}; here run only: {known}. Choose another model.")
    model_class, reader_class, _ = KINDS[kind]
    device = "cpu" if variant.quantization else torch_device(variant)
    emit(Progress(f"Loading {source.name}"))
    library: Any = transformers
    dtype = torch.float16 if device == "cuda" else torch.float32
    options = {"dtype": dtype, "use_safetensors": True, **SAFE}
    model = read_model(getattr(library, model_class), source, options).to(device).eval()
    if variant.quantization:
        emit(Progress("Quantizing"))
        _quantize(model.decoder)
    reader = getattr(library, reader_class).from_pretrained(source.folder, **SAFE)
    return model, reader, source.revision
