"""A loaded chat model that has transformers' `generate`, whichever library runs its numbers."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, Outcome, Usage
from shared.backends.local import failures
from shared.backends.local.answering import Answer
from shared.backends.local.prompt import Prompt, Prompter
from shared.backends.local.sampling import Chooser, Sampling
from shared.errors import BackendError
from shared.requests import ChatRequest, Request

if TYPE_CHECKING:
    from shared.streaming import Emit

DEFAULT_MAX_TOKENS = 512

# Makes a run of the model stop soon after `emit` is cancelled, even in the middle of a step.
Guard = Callable[[Any, "Emit"], contextlib.AbstractContextManager[None]]


class GeneratingModel:
    """One run at a time: a model keeps no more than one conversation's cache."""

    concurrency = 1

    def __init__(
        self, model: Any, prompter: Prompter, capabilities: Capabilities, facts: Mapping[str, Any], guard: Guard
    ) -> None:
        self._model, self._prompter, self._guard = model, prompter, guard
        self.facts = facts
        self.capabilities = dataclasses.replace(capabilities, context_length=_context(model.config))
        self._defaults = model.generation_config
        self._ends = _ends(self._defaults, prompter.tokenizer)

    def count_tokens(self, request: Request) -> int | None:
        """Exact, by the model's own template and tokenizer."""
        assert isinstance(request, ChatRequest)
        return self._prompter.encode(request).length

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Answer. Raises `InvalidRequest`, `OutOfMemory` or `BackendError`; the model stays usable."""
        assert isinstance(request, ChatRequest)
        if self._model is None:
            raise BackendError("The model was unloaded. Try again: it is then loaded anew.")
        emit.check()
        prompt = self._prompter.encode(request)
        tokenizer = self._prompter.tokenizer
        answer = Answer(tokenizer, frozenset(self._ends), self._prompter.marks, prompt, request, emit)
        with self._guard(self._model, emit), failures.running():
            self._generate(request, prompt, answer)
        output = answer.output()
        return Outcome(output=output, usage=Usage(input_tokens=prompt.length, output_tokens=answer.count))

    def _generate(self, request: ChatRequest, prompt: Prompt, answer: Answer) -> None:
        import torch

        def stopped(input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((input_ids.shape[0],), answer.stopped, device=input_ids.device)

        chooser = Chooser(Sampling.of(request, self._defaults), answer.take)
        config = self._config(request, prompt)
        inputs = {name: _to(self._model, value) for name, value in prompt.inputs.items()}
        with torch.inference_mode():
            self._model.generate(
                **inputs, generation_config=config, logits_processor=[chooser], stopping_criteria=[stopped]
            )

    def _config(self, request: ChatRequest, prompt: Prompt) -> Any:
        """The model's own generation settings, without those that `Chooser` sees to."""
        config = copy.deepcopy(self._defaults)
        config.do_sample, config.num_beams = False, 1
        config.temperature = config.top_p = config.top_k = None
        config.repetition_penalty = config.max_length = None
        config.max_new_tokens = self._room(request, prompt)
        config.eos_token_id = self._ends or None
        config.pad_token_id = _first(config.pad_token_id, self._ends)
        return config

    def _room(self, request: ChatRequest, prompt: Prompt) -> int:
        wanted = request.max_tokens or DEFAULT_MAX_TOKENS
        limit = self.capabilities.context_length
        return (
            wanted
            if limit is None or self._model.config.is_encoder_decoder
            else max(1, min(wanted, limit - prompt.length))
        )

    def close(self) -> None:
        """Let go of the model and its memory."""
        self._model = None


def _to(model: Any, value: Any) -> Any:
    """On the model's device; pictures in its precision too."""
    return value.to(model.device, model.dtype) if value.is_floating_point() else value.to(model.device)


def _context(config: Any) -> int | None:
    """Tokens that the model reads, by whichever name its family gives them; None where it has no limit."""
    text = config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "max_sequence_length"):
        if limit := getattr(text, name, None):
            return int(limit)
    return None


def _ends(defaults: Any, tokenizer: Any) -> list[int]:
    """The tokens that end an answer."""
    listed = defaults.eos_token_id
    ids = listed if isinstance(listed, list) else [listed]
    return sorted({int(i) for i in (*ids, tokenizer.eos_token_id) if i is not None})


def _first(pad: Any, ends: list[int]) -> int:
    return int(pad) if pad is not None else next(iter(ends), 0)


@contextlib.contextmanager
def check_between_layers(model: Any, emit: Emit) -> Iterator[None]:
    """A `Guard` for torch: a long prompt is read in one step, which may take many seconds, so each layer asks."""
    from torch.nn import ModuleList

    stacks = [module for module in model.modules() if isinstance(module, ModuleList)]
    layers = max(stacks, key=len, default=())
    hooks = [layer.register_forward_pre_hook(lambda *_: emit.check()) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
