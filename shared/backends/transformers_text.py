"""transformers: safetensors and GGUF models run by torch, in full precision or quantized, with LoRA adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared import machine as machines
from shared.backends.base import Capabilities, require
from shared.errors import BackendError
from shared.events import Progress
from shared.placement import device_of

if TYPE_CHECKING:
    from shared.backends.local.generation import GeneratingModel
    from shared.backends.local.torch_loading import Placing
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

PARAMETERS = frozenset(
    {"temperature", "top_p", "top_k", "repetition_penalty", "max_tokens", "stop", "seed", "top_logprobs", "prefill"}
)
_NO_GRAMMAR = "transformers can't hold a model to a form. Run it on llama.cpp, or ask for the form in words."
WHY_NOT = {
    "response_format": _NO_GRAMMAR,
    "grammar": _NO_GRAMMAR,
    "reasoning_effort": "This model's template has no switch for its thinking.",
}


class TransformersText:
    """A Hub id, a folder of safetensors, or a GGUF file. `variant.quantization`: `int8`, or `int4` on NVIDIA.

    `variant.options`: `adapter` (a LoRA adapter's path or Hub id), `package` (a pip package that carries the GGUF
    file), `thinking` (how the template is told whether to think: `enable_thinking` or `reasoning_effort`),
    `images` (whether it sees pictures).
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`, or `BackendError` where this device can't run this kind of quantization."""
        for module in ("torch", "transformers"):
            require(module)
        device = device_of(variant, machines.probe())
        _check_quantization(variant.quantization, device)
        if variant.options.get("adapter"):
            require("peft")
        if package := variant.options.get("package"):
            from shared.starter import locate

            require("gguf")
            locate(package, variant.filename or "")

    def capabilities(self, variant: Variant) -> Capabilities:
        """Everything but forced forms; the same seed gives the same answer."""
        return capabilities(variant)

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> GeneratingModel:
        """Raises `UnknownModel`, `HubUnavailable`, `CorruptWeights`, `OutOfMemory` or another `BackendError`."""
        from shared.backends.local import converted, failures, source, torch_loading
        from shared.backends.local.generation import GeneratingModel, check_between_layers
        from shared.backends.local.prompt import Prompter

        found = source.find(variant, settings, emit)
        adapter_name = variant.options.get("adapter")
        adapter = source.find_adapter(adapter_name, settings, emit) if adapter_name else None
        name = found.gguf or found.path.name
        with failures.loading(name, variant.memory_gb):
            torch_loading.prepare(settings)
            place = torch_loading.placing(device_of(variant, machines.probe()), variant.dtype, variant.quantization)
            emit(Progress(f"Loading {name}"))
            parts = converted.load(found, place, adapter, settings, emit)
        prompter = Prompter(
            parts.processor, encoder_decoder=parts.encoder_decoder, switch=variant.options.get("thinking")
        )
        facts = _facts(place, found.revision or variant.revision)
        if adapter is not None:
            facts |= {"adapter": adapter_name, "adapter_revision": adapter.revision}
        return GeneratingModel(parts.model, prompter, capabilities(variant), facts, check_between_layers)


def capabilities(variant: Variant) -> Capabilities:
    """What a model run by `generate` honours."""
    switch = {"reasoning_effort"} if variant.options.get("thinking") else set()
    return Capabilities(
        parameters=PARAMETERS | switch,
        why_not=WHY_NOT,
        seed="exact",
        images=bool(variant.options.get("images")),
        thinking=bool(switch),
    )


def _check_quantization(kind: str | None, device: str) -> None:
    from shared.backends.local.torch_loading import QUANTIZATIONS

    known = QUANTIZATIONS.get(device, ())
    if kind is not None and kind not in known:
        instead = f"{' or '.join(known)} here" if known else "full precision here"
        raise BackendError(f"transformers can't run {kind} on this device. Choose {instead}, or llama.cpp.")
    if kind is not None and device == "cuda":
        require("bitsandbytes")


def _facts(place: Placing, revision: str | None) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "device": place.device,
        "dtype": place.dtype,
        "quantization": place.quantization,
        "revision": revision,
        "versions": {package: version(package) for package in ("transformers", "torch")},
        "noise_device": "cpu",
    }
