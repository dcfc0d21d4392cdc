"""Runs an exported language model: the part of transformers' model interface that `TorchModel` uses."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import Cancelled
from shared.streaming import CancelToken

if TYPE_CHECKING:
    from shared.streaming import Emit

CHUNK = 256  # prompt tokens read in one step: a stop takes effect between steps


def compiled(ov: Any, model: Any, *, threads: int | None, exact: bool = False) -> Any:
    """An infer request for the model (a graph or its file) on the processor.

    `exact`: all in float32; otherwise OpenVINO keeps its cache, and multiplies quantized weights, in int8.
    """
    # Without the runtime cache: it kept a thread and 6 MB of each compiled model for good, and made nothing faster.
    options: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "CPU_RUNTIME_CACHE_CAPACITY": "0",
    }
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    if exact:
        options |= {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0", "KV_CACHE_PRECISION": "f32"}
    return ov.Core().compile_model(model, "CPU", options).create_infer_request()


def step(request: Any, ids: Any, past: int) -> Any:
    """Logits (1, vocabulary) after `ids` (1, length), with `past` tokens in the cache before them."""
    import numpy

    length = past + ids.shape[1]
    if past == 0:
        request.reset_state()
    request.infer(
        {
            "input_ids": ids,
            "attention_mask": numpy.ones((1, length), numpy.int64),
            "position_ids": numpy.arange(past, length)[None],
            "beam_idx": numpy.zeros(1, numpy.int32),
        }
    )
    return request.get_tensor("logits").data[:, -1].copy()


class OpenVinoDecoder:
    """A decoder whose cache lives in OpenVINO. `config` and `generation_config` are transformers' own."""

    def __init__(self, path: Path, config: Any, generation_config: Any, threads: int | None, exact: bool) -> None:
        import torch

        from shared.backends.local.openvino_export import openvino

        self.config, self.generation_config = config, generation_config
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.request = compiled(openvino(), str(path), threads=threads, exact=exact)
        self.cancel: CancelToken | None = None

    def generate(
        self,
        *,
        input_ids: Any,
        generation_config: Any,
        logits_processor: Sequence[Callable[..., Any]],
        stopping_criteria: Sequence[Callable[..., Any]],
        attention_mask: Any = None,
    ) -> Any:
        """As transformers' `generate` for a batch of one: ids (1, prompt + answer)."""
        import torch

        past, room = 0, generation_config.max_new_tokens
        while room > 0:
            for piece in input_ids[:, past:].split(CHUNK, dim=1):
                self._check()
                logits = torch.from_numpy(step(self.request, piece.numpy(), past))
                past += piece.shape[1]
            for processor in logits_processor:
                logits = processor(input_ids, logits)
            token = logits.argmax(-1, keepdim=True)
            input_ids, room = torch.cat([input_ids, token], dim=1), room - 1
            if any(bool(stop(input_ids, logits)) for stop in stopping_criteria):
                break
        return input_ids

    def _check(self) -> None:
        if self.cancel is not None and self.cancel.cancelled:
            raise Cancelled


@contextlib.contextmanager
def check_between_steps(model: OpenVinoDecoder, emit: Emit) -> Iterator[None]:
    """Lets a long prompt be stopped between its pieces, and gives the conversation's cache back at the end."""
    model.cancel = emit.cancel
    try:
        yield
    finally:
        model.cancel = None
        model.request.reset_state()
