"""Loads a transformers model: its class, device, precision, quantization and LoRA adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.backends.local.source import Source
from shared.errors import BackendError, CorruptWeights

if TYPE_CHECKING:
    from shared.settings import Settings

INT8, INT4 = "int8", "int4"
# device -> the kinds of quantization that torch can do on it
QUANTIZATIONS = {"cuda": (INT8, INT4), "cpu": (INT8,), "mps": ()}
# Never run code from a repository, never open a pickle, never look for anything on the network at this point.
SAFE = {"trust_remote_code": False, "local_files_only": True}


@dataclass(frozen=True)
class Placing:
    """Where and how a model is put: device, torch dtype by name, and kind of quantization."""

    device: str
    dtype: str
    quantization: str | None = None


# What `auto` precision is. On a processor bfloat16 decodes no faster than float32 even where it has the
# instructions (benchmarks/results/cpu_quantized.md); a model too large for float32 names its dtype in the catalogue.
_PRECISION = {"cuda": "bfloat16", "mps": "float16", "cpu": "float32"}


def placing(device: str, dtype: str, quantization: str | None) -> Placing:
    """Where and how; `auto` precision is resolved.

    Raises `BackendError` where torch here has no such device.
    """
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise BackendError(
            "This machine has an NVIDIA GPU, but the installed torch is a build without CUDA. "
            "Install one with it (see pytorch.org), or choose the processor."
        )
    chosen = _PRECISION[device] if dtype == "auto" else dtype
    on_cpu_int8 = device == "cpu" and quantization == INT8  # torch's int8 kernels take float32 activations
    return Placing(device, "float32" if on_cpu_int8 else chosen, quantization)


@dataclass(frozen=True)
class Parts:
    """A model ready to generate, its processor or tokenizer, and whether it has an encoder."""

    model: Any
    processor: Any
    encoder_decoder: bool


def load(source: Source, place: Placing, adapter: Source | None) -> Parts:
    """Load from files on this machine. Raises what the library raises, and `CorruptWeights`."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(source.path, gguf_file=source.gguf, **SAFE)
    model_class, processor_class = _classes(config, source)
    processor = processor_class.from_pretrained(source.path, **_gguf(source), **SAFE)
    model = _weights(model_class, source, place)
    return finish(Parts(model, processor, bool(config.is_encoder_decoder)), place, adapter)


def finish(parts: Parts, place: Placing, adapter: Source | None) -> Parts:
    """Add the adapter and quantize on the processor, where these are wanted."""
    model = parts.model
    if adapter is not None:
        model = _adapted(model, adapter, place)
    if place.device == "cpu" and place.quantization == INT8:
        model = _dynamic_int8(model)
    model.eval()
    return Parts(model, parts.processor, parts.encoder_decoder)


def _classes(config: Any, source: Source) -> tuple[Any, Any]:
    """The auto class for the model and that for what prepares its input. Raises `BackendError` for other tasks."""
    import transformers
    from transformers.models.auto import modeling_auto as auto

    kind = config.model_type
    if kind in auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES and hasattr(config, "vision_config"):
        return transformers.AutoModelForImageTextToText, transformers.AutoProcessor
    if config.is_encoder_decoder and kind in auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES:
        return transformers.AutoModelForSeq2SeqLM, transformers.AutoTokenizer
    if kind in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        return transformers.AutoModelForCausalLM, transformers.AutoTokenizer
    raise BackendError(f"{source.path.name} is a {kind} model, which doesn't chat. Choose a language model.")


def _gguf(source: Source) -> dict[str, str]:
    return {"gguf_file": source.gguf} if source.gguf else {}


def _weights(model_class: Any, source: Source, place: Placing) -> Any:
    import torch

    options: dict[str, Any] = {**SAFE, **_gguf(source), "dtype": getattr(torch, place.dtype)}
    if source.gguf is None:
        options["use_safetensors"] = True
    if place.device != "cpu":
        options["device_map"] = {"": place.device}
        options |= _bitsandbytes(place)
    model, found = model_class.from_pretrained(source.path, output_loading_info=True, **options)
    if found["missing_keys"]:
        name = min(found["missing_keys"])
        raise CorruptWeights(f"{source.path.name} lacks some of its weights, {name} for one. Download it again.")
    return model


def _bitsandbytes(place: Placing) -> dict[str, Any]:
    if place.quantization is None:
        return {}
    import torch
    import transformers

    config: Any = transformers.BitsAndBytesConfig

    if place.quantization == INT8:
        return {"quantization_config": config(load_in_8bit=True)}
    compute = getattr(torch, place.dtype)
    four = config(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=compute)
    return {"quantization_config": four}


def _adapted(model: Any, adapter: Source, place: Placing) -> Any:
    """The model with a LoRA adapter; merged into its weights where they are whole, which costs nothing at run time."""
    from peft import PeftModel

    model = PeftModel.from_pretrained(model, adapter.path, use_safetensors=True, local_files_only=True)
    keep_apart = place.quantization is not None and place.device != "cpu"
    return model if keep_apart else model.merge_and_unload()


def _dynamic_int8(model: Any) -> Any:
    """Linear layers in int8, activations quantized as they come: torch's own kernels, no further package."""
    import warnings

    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torchao, its successor, is slower on processors
        quantize: Any = torch.ao.quantization.quantize_dynamic
        return quantize(model, {torch.nn.Linear}, dtype=torch.qint8, inplace=True)


def prepare(settings: Settings) -> None:
    """No progress bars on the server's terminal (events tell the progress), and the threads that were asked for."""
    import torch
    import transformers

    logging: Any = transformers.logging
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    if settings.threads:
        torch.set_num_threads(settings.threads)
