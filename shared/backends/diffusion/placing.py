"""Puts a pipeline on its device: whole where it fits, and on a GPU too small for that in pieces, as they are used."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from shared import machine as machines
from shared.catalog import Variant
from shared.events import Progress
from shared.machine import GIB
from shared.memory import free_cuda_gb
from shared.streaming import Emit
from shared.surroundings import on_zero_gpu

WORK = 2.0  # GiB that a run takes beside the weights, where the catalogue doesn't say
LEAST_WORK = 1.0  # and where it says that there is hardly any


class Way(StrEnum):
    """How a model lies on a GPU."""

    WHOLE = "whole"
    PARTS = "parts"
    LAYERS = "layers"


NOTES: Mapping[Way, str] = {
    Way.PARTS: "The GPU can't hold the whole model, so its parts took turns there: a little slower.",
    Way.LAYERS: "The GPU can't hold the model's largest part, so its layers took turns there at every step: several "
    "times slower. A smaller or a quantized model is quicker.",
}


def way(parts: Mapping[str, float], work: float, free: float) -> Way:
    """How models of these sizes fit on a GPU with so much free memory, where a run takes `work` beside them; GiB."""
    if sum(parts.values()) + work <= free:
        return Way.WHOLE
    return Way.PARTS if max(parts.values(), default=0.0) + work <= free else Way.LAYERS


def place(pipe: Any, variant: Variant, device: str, emit: Emit) -> Way:
    """Put it there, and tell how."""
    vae: Any = getattr(pipe, "vae", None)
    # The tiny decoder needs no tiles, and has them wrong for other sizes of its own than the usual.
    if device != "cpu" and hasattr(vae, "enable_tiling") and type(vae).__name__ != "AutoencoderTiny":
        vae.enable_tiling()
    chosen = _chosen(pipe, variant) if device == "cuda" else Way.WHOLE
    if note := NOTES.get(chosen):
        emit(Progress(note))
    if chosen is Way.WHOLE:
        pipe.to(device)
    elif chosen is Way.PARTS:
        pipe.enable_model_cpu_offload()
    else:
        _by_layers(pipe)
    return chosen


def sizes(pipe: Any) -> dict[str, float]:
    """GiB of each part's weights, as they are kept."""
    import torch

    models = {name: part for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)}
    return {name: sum(_bytes(value) for value in _tensors(model)) / GIB for name, model in models.items()}


def takes_turns(part: Any) -> bool:
    """Whether this part of a pipeline pushes another one off the GPU when it is used."""
    return hasattr(part, "_hf_hook")


def _chosen(pipe: Any, variant: Variant) -> Way:
    if asked := variant.options.get("offload"):
        return Way(asked)
    parts, free = sizes(pipe), _free()
    told = variant.on_card_gb
    work = max(told - sum(parts.values()), LEAST_WORK) if told else WORK
    return way(parts, work, free)


def _free() -> float:
    """GiB of the GPU that can be had now. Where a GPU is lent for each run, nothing else is on it then."""
    import torch

    if not on_zero_gpu():
        torch.cuda.init()  # type: ignore[no-untyped-call]
    free = free_cuda_gb()
    return machines.probe().cuda_gb if free is None else free


def _by_layers(pipe: Any) -> None:
    """Each layer is fetched while the one before it works. Pinning all of them at once would need twice the memory."""
    import torch

    held = sum(sizes(pipe).values())
    pipe.enable_group_offload(
        onload_device=torch.device("cuda"),
        offload_type="leaf_level",
        use_stream=True,
        low_cpu_mem_usage=machines.free_ram_gb() < 1.5 * held,
    )


def _tensors(model: Any) -> list[Any]:
    return [*model.parameters(), *model.buffers()]


def _bytes(tensor: Any) -> int:
    return int(tensor.numel() * tensor.element_size())
