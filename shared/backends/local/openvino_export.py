"""Turns a transformers language model into an OpenVINO one that keeps its own cache, and quantizes its weights.

optimum-intel did this for older transformers; it doesn't import beside the version we use (docs/decisions.md), so
the model is traced by OpenVINO's own converter. Every export is compared with the original before it is kept.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import BackendError

if TYPE_CHECKING:
    from shared.streaming import Emit

MODEL_FILE = "openvino_model.xml"
_TOLERANCE = 1e-2  # of a logit; a faithful float32 export differs by about 1e-4
_GROUP = 64  # weights that share a scale in int4; narrower models take what divides their rows


def openvino() -> Any:
    """The library, without its telemetry: it would report each conversion to its makers unless told not to."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def converted(model: Any, example: Any) -> Any:
    """The model's graph. The converter leaves the log of the whole process at errors alone; here it stays as it was."""
    import logging

    root = logging.getLogger()
    before = root.level
    try:
        return openvino().convert_model(model, example_input=example)
    finally:
        root.setLevel(before)


@contextlib.contextmanager
def quantizer() -> Iterator[Any]:
    """nncf, which writes no tables and draws no bars on the server's console within the block."""
    import logging

    import nncf
    import rich  # which draws its bars

    nncf.set_log_level(logging.ERROR)
    console = rich.get_console()
    before, console.quiet = console.quiet, True
    try:
        yield nncf
    finally:
        console.quiet = before


def export(model: Any, quantization: str | None, folder: Path, emit: Emit) -> None:
    """Write the model's graph and weights into the folder. `quantization`: `int8`, `int4` or None.

    Raises `BackendError` for a kind of model that can't be traced faithfully.
    """
    ov = openvino()
    graph = _traced(ov, model)
    emit.check()
    _verify(ov, graph, model)
    emit.check()
    if quantization:
        graph = _compressed(graph, quantization)
    ov.save_model(graph, folder / MODEL_FILE, compress_to_fp16=False)


def _traced(ov: Any, model: Any) -> Any:
    import torch

    shape = CacheShape(model.config)
    past = [torch.zeros(2, shape.heads, 4, shape.size) for _ in range(2 * shape.layers)]
    example = (torch.ones(2, 3).long(), torch.ones(2, 7).long(), torch.arange(4, 7).repeat(2, 1), *past)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer warns of every branch, and the result is verified below
            graph = converted(_with_flat_cache(model, shape.layers), example)
        return _stateful(ov, graph, shape)
    except Exception as error:
        raise BackendError(_CANNOT) from error


_CANNOT = "OpenVINO can't take this kind of model from transformers. Run it by transformers or llama.cpp."


class CacheShape:
    """Layers of a decoder's attention cache, key heads, and numbers a head. Raises `BackendError` without one."""

    def __init__(self, config: Any) -> None:
        text = config.get_text_config()
        heads = getattr(text, "num_attention_heads", None)
        if config.is_encoder_decoder or hasattr(config, "vision_config") or not heads:
            raise BackendError(_CANNOT)
        self.layers = int(text.num_hidden_layers)
        self.heads = int(getattr(text, "num_key_value_heads", None) or heads)
        self.size = int(getattr(text, "head_dim", None) or text.hidden_size // heads)

    def names(self, stem: str) -> list[str]:
        """The names of the cache's tensors, in order."""
        return [f"{stem}.{layer}.{part}" for layer in range(self.layers) for part in ("key", "value")]


def _with_flat_cache(model: Any, layers: int) -> Any:
    """The model as a function of plain tensors: ids, mask, positions and the cache in; last logits and cache out."""
    import torch
    from transformers import cache_utils

    library: Any = cache_utils

    class Flat(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, position_ids: Any, *past: Any) -> tuple[Any, ...]:
            cache = library.DynamicCache()
            cache.layers = [_filled(library.DynamicLayer(), past[2 * i], past[2 * i + 1]) for i in range(layers)]
            out = self.model(
                input_ids=input_ids,
                attention_mask=attention_mask,
                position_ids=position_ids,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            return (out.logits, *(t for layer in out.past_key_values.layers for t in (layer.keys, layer.values)))

    return Flat().eval()


def _filled(layer: Any, keys: Any, values: Any) -> Any:
    layer.lazy_initialization(keys, values)
    layer.keys, layer.values = keys, values
    return layer


def _stateful(ov: Any, graph: Any, shape: CacheShape) -> Any:
    """Make the cache the graph's own state, begun empty, with free batch and length."""
    from openvino._offline_transformations import apply_make_stateful_transformation

    inputs = ["input_ids", "attention_mask", "position_ids", *shape.names("past")]
    outputs = ["logits", *shape.names("present")]
    for port, name in zip((*graph.inputs, *graph.outputs), (*inputs, *outputs), strict=True):
        port.get_tensor().set_names({name})
    cache = ov.PartialShape([-1, shape.heads, -1, shape.size])
    graph.reshape({n: cache if n.startswith("past") else ov.PartialShape([-1, -1]) for n in inputs})
    _reorder_by_beam(graph, len(inputs) - 3)
    apply_make_stateful_transformation(graph, dict(zip(shape.names("past"), shape.names("present"), strict=True)))
    _begin_empty(graph, shape)
    return graph


def _reorder_by_beam(graph: Any, caches: int) -> None:
    """OpenVINO fuses attention with its cache only where the cache passes through this gather (always 0 for us)."""
    import numpy
    from openvino import opset13 as ops

    beam = ops.parameter([-1], dtype=numpy.int32, name="beam_idx")
    beam.output(0).get_tensor().set_names({"beam_idx"})
    for port in graph.inputs[-caches:]:
        users = port.get_target_inputs()
        gathered = ops.gather(port, beam, ops.constant(numpy.int64(0)))
        for user in users:
            user.replace_source_output(gathered.output(0))
    graph.add_parameters([beam])
    graph.validate_nodes_and_infer_types()


def _begin_empty(graph: Any, shape: CacheShape) -> None:
    import numpy
    from openvino import opset13 as ops

    first = ops.constant(numpy.array([0], dtype=numpy.int64)), ops.constant(numpy.int64(0))
    batch = ops.gather(ops.shape_of(graph.input("input_ids"), output_type="i64"), *first)
    rest = ops.constant(numpy.array([shape.heads, 0, shape.size], dtype=numpy.int64))
    for node in graph.get_ops():
        if node.get_type_name() == "ReadValue":
            zero = ops.constant(numpy.float32(0))
            node.set_arguments([ops.broadcast(zero, ops.concat([batch, rest], 0))])
    graph.validate_nodes_and_infer_types()


def _verify(ov: Any, graph: Any, model: Any) -> None:
    """Compare two steps with the original's: other lengths than the traced ones, and with a cache that is in use."""
    import torch

    from shared.backends.local.openvino_decoder import compiled, step

    ids = torch.arange(11)[None] % model.config.get_text_config().vocab_size
    with torch.no_grad():
        wanted = model(input_ids=ids).logits[0]
    request = compiled(ov, graph, threads=None, exact=True)
    close = [
        torch.allclose(torch.from_numpy(step(request, ids[:, :8].numpy(), 0)[0]), wanted[7], atol=_TOLERANCE, rtol=0),
        torch.allclose(torch.from_numpy(step(request, ids[:, 8:].numpy(), 8)[0]), wanted[10], atol=_TOLERANCE, rtol=0),
    ]
    if not all(close):
        raise BackendError(_CANNOT)


def _compressed(graph: Any, quantization: str) -> Any:
    with quantizer() as nncf:
        if quantization == "int8":
            return nncf.compress_weights(graph, mode=nncf.CompressWeightsMode.INT8_ASYM)
        narrower = nncf.AdvancedCompressionParameters(group_size_fallback_mode=nncf.GroupSizeFallbackMode.ADJUST)
        return nncf.compress_weights(
            graph,
            mode=nncf.CompressWeightsMode.INT4_ASYM,
            group_size=_GROUP,
            ratio=1.0,
            advanced_parameters=narrower,
        )
