"""Loads a model folder by transformers' Auto classes: precision, device, quantization, adapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import machine as machines
from shared.backends.base import require
from shared.backends.local import gguf
from shared.backends.local.failures import said
from shared.backends.local.sources import Source, fetch_adapter, find
from shared.catalog import Variant
from shared.errors import BackendError, CorruptWeights
from shared.events import Progress
from shared.placement import device_of
from shared.settings import Settings
from shared.streaming import Emit

# our word for a quantization -> (bits, the device that it is for; None: any)
QUANTIZATIONS: Mapping[str, int] = {"int8": 8, "8-bit": 8, "int4": 4, "4-bit": 4, "nf4": 4}

LARGE_GB = 3.0  # weights on the disk, above which a processor runs them in bf16


@dataclass(kw_only=True)
class Loaded:
    """A model on its device, with what reads and writes text for it."""

    model: Any
    tokenizer: Any
    processor: Any = None
    device: str
    dtype: str
    revision: str | None = None


def check_quantization(variant: Variant) -> None:
    """Raise unless the quantization is one that this machine can do."""
    if variant.quantization is None or variant.filename:
        return
    bits = QUANTIZATIONS.get(variant.quantization.lower())
    if bits is None:
        known = ", ".join(QUANTIZATIONS)
        raise BackendError(
            f"transformers doesn't know the quantization {variant.quantization}. Choose one of: {known}."
        )
    if bits == 4 or device_of(variant, machines.probe()) == "cuda":
        require("bitsandbytes")


def load(variant: Variant, settings: Settings, emit: Emit) -> Loaded:
    """The variant's model, ready to generate."""
    source = find(variant, settings, emit)
    device = torch_device(variant)
    dtype = _dtype(variant.dtype, device, source.size_gb)
    if source.gguf:
        return _load_gguf(source, variant, device, dtype, settings, emit)
    return _load_folder(source, variant, device, dtype, settings, emit)


def _load_gguf(source: Source, variant: Variant, device: str, dtype: Any, settings: Settings, emit: Emit) -> Loaded:
    assert source.gguf
    path = source.folder / source.gguf
    folder = gguf.convert(path, dtype, settings.data_dir / "converted", emit)
    if folder:
        kept = Source(folder, None, source.revision)
        return _load_folder(kept, variant, device, dtype, settings, emit)
    model, tokenizer = gguf.load(path, dtype, emit)
    return Loaded(
        model=model.to(device).eval(), tokenizer=tokenizer, device=device, dtype=_name(dtype), revision=source.revision
    )


def _load_folder(source: Source, variant: Variant, device: str, dtype: Any, settings: Settings, emit: Emit) -> Loaded:
    config = read_config(source.folder)
    emit(Progress(f"Loading {source.name}"))
    quantized = _bitsandbytes(variant, device, dtype)
    options = {"dtype": dtype, "use_safetensors": True, **SAFE, **quantized}
    model = read_model(auto_class(config), source, options)
    emit.check()
    model = _adapted(model, variant, settings, emit, merge=not quantized)
    if not quantized:
        model = _int8_on_cpu(model) if _bits(variant) == 8 and device == "cpu" else model.to(device)
    tokenizer, processor = read_tokenizer(source.folder)
    return Loaded(
        model=model.eval(),
        tokenizer=tokenizer,
        processor=processor,
        device=device,
        dtype=_name(dtype),
        revision=source.revision,
    )


# No network, and no code that comes with a model.
SAFE = {"local_files_only": True, "trust_remote_code": False}


def read_config(folder: Path) -> Any:
    """The folder's configuration. Raises `BackendError` for a kind that isn't known or wants to run its own code."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder, **SAFE)
    except (ValueError, KeyError) as error:
        raise BackendError(
            f"transformers doesn't know this kind of model, or it wants to run code of its own, which is refused: "
            f"{folder.name}. Choose another model, or a GGUF file of it for llama.cpp."
        ) from error


def auto_class(config: Any) -> Any:
    """The Auto class for a configuration: encoder-decoder, picture-and-text, or causal."""
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as SEEING

    if hasattr(config, "vision_config") and config.model_type in SEEING:
        return transformers.AutoModelForImageTextToText
    if config.is_encoder_decoder:
        return transformers.AutoModelForSeq2SeqLM
    return transformers.AutoModelForCausalLM


def read_tokenizer(folder: Path) -> tuple[Any, Any]:
    """(tokenizer, processor); the processor is None for models of text alone."""
    import transformers

    library: Any = transformers
    tokenizer = library.AutoTokenizer.from_pretrained(folder, **SAFE)
    files = ("preprocessor_config.json", "processor_config.json")
    sees = any((folder / name).is_file() for name in files)
    return tokenizer, library.AutoProcessor.from_pretrained(folder, **SAFE) if sees else None


def read_model(auto: Any, source: Source, options: Mapping[str, Any]) -> Any:
    """The model, whole. Raises `CorruptWeights` for weights that are damaged or missing, else `BackendError`."""
    from safetensors import SafetensorError

    try:
        model, found = auto.from_pretrained(source.folder, output_loading_info=True, **options)
    except SafetensorError as error:
        raise CorruptWeights(f"The weights of {source.name} are damaged. Download the model again.") from error
    except (ValueError, OSError) as error:
        raise BackendError(f"transformers could not load {source.name}: {said(error, source.folder)}") from error
    if found["missing_keys"]:  # transformers would draw them at random
        lacking = min(found["missing_keys"])
        raise CorruptWeights(f"{source.name} lacks some of its weights, {lacking} for one. Download the model again.")
    return model


def torch_device(variant: Variant) -> str:
    """Where it runs. Raises `BackendError` where torch here can't use the machine's GPU."""
    import torch

    device = device_of(variant, machines.probe())
    if device == "cuda" and not torch.cuda.is_available():
        raise BackendError(
            "This machine has an NVIDIA GPU, but the installed torch can't use it. Install a build of torch for it "
            "(see pytorch.org), or choose llama.cpp."
        )
    return device


def _dtype(wanted: str, device: str, size_gb: float) -> Any:
    """`auto`: bf16 on NVIDIA, fp16 on Apple's GPU and old NVIDIA cards, on a processor fp32.

    A processor with bf16 decodes no faster in it (benchmarks/results/cpu_quantized.md), and far slower while
    others use its cores. It halves the memory, so models too large for fp32 take it where there is bf16.
    """
    import torch

    if wanted != "auto":
        return getattr(torch, wanted)
    if device == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device == "mps":
        return torch.float16
    return torch.bfloat16 if size_gb > LARGE_GB and machines.probe().bf16 else torch.float32


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def _bits(variant: Variant) -> int | None:
    return None if variant.filename else QUANTIZATIONS.get((variant.quantization or "").lower())


def _bitsandbytes(variant: Variant, device: str, dtype: Any) -> dict[str, Any]:
    """Arguments that quantize while loading, so that the full weights are never all in memory."""
    bits = _bits(variant)
    if bits is None or (bits == 8 and device == "cpu"):
        return {}
    import transformers

    library: Any = transformers
    config = library.BitsAndBytesConfig(
        load_in_8bit=bits == 8, load_in_4bit=bits == 4, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
    )
    return {"quantization_config": config, "device_map": {"": device}}


def _int8_on_cpu(model: Any) -> Any:
    """torch's dynamic int8: weights are int8, activations are quantized as they come."""
    import warnings

    import torch

    with warnings.catch_warnings():
        # torchao is to replace it one day, and is slower on CPUs today.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor", UserWarning)
        return torch.ao.quantization.quantize_dynamic(model.float(), {torch.nn.Linear}, dtype=torch.qint8)  # type: ignore[no-untyped-call]


def _adapted(model: Any, variant: Variant, settings: Settings, emit: Emit, *, merge: bool) -> Any:
    """The model with the variant's LoRA adapter, merged into its weights where they are plain."""
    name = variant.options.get("adapter")
    if not name:
        return model
    from peft import PeftModel

    folder = fetch_adapter(str(name), settings, emit)
    emit(Progress(f"Applying the adapter {folder.name}"))
    try:
        adapted = PeftModel.from_pretrained(model, folder)
    except (ValueError, RuntimeError, KeyError) as error:
        raise BackendError(f"The adapter {name} doesn't fit this model: {said(error, folder)}") from error
    return adapted.merge_and_unload() if merge else adapted
