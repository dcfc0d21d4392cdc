"""OpenVINO: transformers models quantized for the processor, exported here at their first use and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.backends.base import Capabilities, require
from shared.backends.local.facts import facts
from shared.backends.transformers_text import PARAMETERS, WHY_NOT
from shared.errors import BackendError
from shared.events import Progress

if TYPE_CHECKING:
    from shared.backends.local.torch_model import TorchModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

QUANTIZATIONS = (None, "int8", "int4")


class OpenVinoText:
    """A Hub id, a folder of safetensors, or a GGUF file. `variant.quantization`: `int8`, `int4` or None.

    Decoder models with an attention cache; others are refused with a reason. `variant.options` as for
    transformers, LoRA adapters included: they are merged before the export.
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`, or `BackendError` for a device or quantization that it doesn't have."""
        for module in ("openvino", "nncf", "torch", "transformers"):
            require(module)
        if variant.quantization not in QUANTIZATIONS:
            raise BackendError(f"OpenVINO has no {variant.quantization} here. Choose int8 or int4.")
        if variant.device not in {"auto", "cpu"}:
            raise BackendError("OpenVINO runs on the processor here. Choose transformers for a GPU.")
        if variant.options.get("adapter"):
            require("peft")
        if package := variant.options.get("package"):
            from shared.starter import locate

            locate(package, variant.filename or "")

    def capabilities(self, variant: Variant) -> Capabilities:
        """As transformers, without pictures."""
        thinking = bool(variant.options.get("thinking"))
        parameters = PARAMETERS | ({"reasoning_effort"} if thinking else set())
        return Capabilities(parameters=parameters, why_not=WHY_NOT, seed="exact", thinking=thinking)

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> TorchModel:
        """Raises `UnknownModel`, `HubUnavailable`, `CorruptWeights`, `OutOfMemory` or another `BackendError`."""
        import dataclasses

        from shared.backends.local import failures, openvino_cache
        from shared.backends.local.openvino_decoder import check_between_steps
        from shared.backends.local.torch_model import TorchModel
        from shared.backends.transformers_text import context_length, quiet

        quiet(settings)
        with failures.loading(variant):
            folder, revision = openvino_cache.exported(variant, settings, emit)
            emit(Progress(f"Loading {folder.name}"))
            loaded = openvino_cache.read(folder, settings, exact=variant.quantization is None)
        loaded.revision = revision
        length = context_length(loaded.model.config, loaded.tokenizer)
        capabilities = dataclasses.replace(self.capabilities(variant), context_length=length)
        told = facts(variant, "openvino", "nncf", "transformers", "torch", revision=revision, noise_device="cpu")
        return TorchModel(loaded, capabilities, told, check_between_steps)
