"""How llama.cpp's embedded server is set up for a model and this machine."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import machine

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

# People answered at once on one model, and tokens each of them has. The memory of the context is both together.
PARALLEL = 8
CONTEXT = 4096
# Prompts of people who are not talking now, kept for their next turn (MiB). llama.cpp's own default is 8 GiB.
PROMPT_CACHE_MIB = 256
ALL_LAYERS = -1
QUIET = -1


def server_parameters(path: Path, extras: Mapping[str, Path], variant: Variant, settings: Settings) -> Any:
    """`xllamacpp.CommonParams` for the file. `extras`: `mmproj` and `adapter` files where the variant has them."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_parallel = int(variant.options.get("parallel", PARALLEL))
    parameters.n_ctx = int(variant.options.get("context", CONTEXT)) * parameters.n_parallel
    threads = settings.threads or machine.probe().cores
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.n_gpu_layers = 0 if variant.device == "cpu" else ALL_LAYERS
    parameters.cache_ram_mib = PROMPT_CACHE_MIB
    parameters.warmup = False
    parameters.verbosity = QUIET
    if mmproj := extras.get("mmproj"):
        parameters.mmproj.path = str(mmproj)
    if adapter := extras.get("adapter"):
        weight = float(variant.options.get("adapter_weight", 1.0))
        parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), weight)]
    _close_doors(parameters)
    return parameters


def _close_doors(parameters: Any) -> None:
    """The embedded server opens a loopback port: with a random key, and with nothing on it that isn't used."""
    parameters.api_keys = [secrets.token_urlsafe(24)]
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.endpoint_props = False
