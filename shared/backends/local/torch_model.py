"""A model in memory that has transformers' `generate`, and how it answers."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared.backends.base import Capabilities, Outcome
from shared.backends.local.answer import Answer, Vocabulary
from shared.backends.local.attention import of_growing_length
from shared.backends.local.failures import within_memory
from shared.backends.local.loading import Loaded
from shared.backends.local.prompts import Prompter
from shared.backends.local.sampling import Choice, Sampler, Sampling
from shared.errors import InvalidRequest
from shared.requests import ChatRequest, Request
from shared.streaming import Emit

LESS = "Shorten the conversation, lower the answer's length, or unload other models."
LONGEST_ANSWER = 2048  # tokens, where neither the person nor the model sets a limit


class TorchModel:
    """Answers one request at a time; the pool lets nobody else in meanwhile."""

    concurrency = 1

    def __init__(
        self,
        loaded: Loaded,
        capabilities: Capabilities,
        facts: Mapping[str, Any],
        guard: Callable[[Any, Emit], contextlib.AbstractContextManager[None]] | None = None,
    ) -> None:
        self._model: Any = loaded.model
        self._guard = guard or check_between_layers
        self._prompter: Any = Prompter(
            loaded.tokenizer, loaded.processor, seq2seq=bool(loaded.model.config.is_encoder_decoder)
        )
        self._vocabulary: Any = Vocabulary(loaded.tokenizer)
        self._device, self.capabilities, self.facts = loaded.device, capabilities, facts
        self._defaults = copy.deepcopy(loaded.model.generation_config)

    def count_tokens(self, request: Request) -> int | None:
        """Exact: the prompt is written and counted."""
        assert isinstance(request, ChatRequest)
        return int(self._prompter.count(request))

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Answer. Raises `InvalidRequest`, `OutOfMemory` or `Cancelled`; the model stays usable."""
        assert isinstance(request, ChatRequest)
        inputs = self._prompter(request)
        return within_memory(lambda: self._generate(request, inputs, emit), LESS)

    def _generate(self, request: ChatRequest, inputs: Any, emit: Emit) -> Outcome:
        import torch
        from transformers import LogitsProcessorList, StoppingCriteriaList

        prompt, prefix = self._prompt_ids(request, inputs)
        answer = Answer(request, self._vocabulary, prompt, emit)
        settings = self._settings(request, prompt)
        ends = _ids(settings.eos_token_id) | _ids(self._prompter.tokenizer.eos_token_id)
        seen = prefix if prefix is not None else prompt
        chooser = _Chooser(Sampler(Sampling.of(request, self._defaults), request.seed, seen))
        follower = _Follower(chooser, answer, ends, emit)
        emit.check()
        with torch.inference_mode(), of_growing_length(), self._guard(self._model, emit):
            self._model.generate(
                **self._on_device(inputs, prefix),
                generation_config=settings,
                logits_processor=LogitsProcessorList([chooser]),
                stopping_criteria=StoppingCriteriaList([follower]),
            )
        return answer.finish("stop" if follower.ended else "length")

    def _prompt_ids(self, request: ChatRequest, inputs: Any) -> tuple[list[int], list[int] | None]:
        """The ids the answer follows; for an encoder-decoder model also those its decoder begins with."""
        prompt = inputs["input_ids"][0].tolist()
        if not self._prompter.seq2seq:
            return prompt, None
        config = self._model.config
        start = self._defaults.decoder_start_token_id
        start = start if start is not None else getattr(config, "decoder_start_token_id", 0)
        said = self._prompter.tokenizer(request.prefill or "", add_special_tokens=False)["input_ids"]
        return [*prompt, *said] if said else prompt, [start, *said]

    def _settings(self, request: ChatRequest, prompt: list[int]) -> Any:
        """How generate is to run: greedily, since `_Chooser` leaves it one token to choose from."""
        settings = copy.deepcopy(self._defaults)
        limit = self.capabilities.context_length
        room = limit - len(prompt) if limit and not self._prompter.seq2seq else LONGEST_ANSWER
        if room < 1:
            raise InvalidRequest("The conversation fills the model's whole context. Shorten it and try again.")
        settings.max_new_tokens = min(request.max_tokens or LONGEST_ANSWER, room)
        settings.max_length = settings.min_p = settings.typical_p = None
        settings.do_sample, settings.num_beams, settings.repetition_penalty = False, 1, 1.0
        settings.temperature = settings.top_p = settings.top_k = None
        if settings.pad_token_id is None:
            settings.pad_token_id = next(iter(_ids(settings.eos_token_id)), 0)
        return settings

    def _on_device(self, inputs: Any, prefix: list[int] | None) -> dict[str, Any]:
        import torch

        moved = {name: value.to(self._device) for name, value in inputs.items() if name != "token_type_ids"}
        floats = {name: value.to(self._model.dtype) for name, value in moved.items() if value.is_floating_point()}
        if prefix is not None:
            moved["decoder_input_ids"] = torch.tensor([prefix], device=self._device)
        return {**moved, **floats}

    def close(self) -> None:
        """Give the memory back."""
        self._model = self._prompter = self._vocabulary = None


class _Chooser:
    """A logits processor that leaves only the token that the sampler chose."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self.choice = Choice(0)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        self.choice = self._sampler.choose(scores[0].float().cpu().numpy())
        alone = scores.new_full(scores.shape, float("-inf"))
        alone[0, self.choice.id] = 0.0
        return alone


class _Follower:
    """A stopping criterion: tells each token to the person, and ends at a stop string or when they stop it."""

    def __init__(self, chooser: _Chooser, answer: Answer, ends: frozenset[int], emit: Emit) -> None:
        self._chooser, self._answer, self._ends, self._emit = chooser, answer, ends, emit
        self.ended = False

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        import torch

        self._emit.check()
        choice = self._chooser.choice
        self.ended = choice.id in self._ends or self._answer.add(choice)
        return torch.full((input_ids.shape[0],), self.ended, dtype=torch.bool, device=input_ids.device)


@contextlib.contextmanager
def check_between_layers(model: Any, emit: Emit) -> Iterator[None]:
    """A long prompt is read in one step, which may take many seconds: each layer asks whether to stop."""
    from torch.nn import ModuleList

    stacks = [module for module in model.modules() if isinstance(module, ModuleList)]
    layers = max(stacks, key=len, default=())
    hooks = [layer.register_forward_pre_hook(lambda *_: emit.check()) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _ids(value: Any) -> frozenset[int]:
    if value is None:
        return frozenset()
    return frozenset(value) if isinstance(value, list | tuple) else frozenset({int(value)})
