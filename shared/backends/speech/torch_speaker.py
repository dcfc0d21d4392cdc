"""A speech model in memory that runs by torch, and how it says a text: an utterance at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from shared.audio.cloning.marking import marker
from shared.audio.script import utterances
from shared.audio.speaking import Speaking
from shared.backends.base import Capabilities, Outcome
from shared.backends.local.attention import of_growing_length
from shared.backends.local.failures import within_memory
from shared.backends.speech.aligning import words_of
from shared.backends.speech.families import FAMILIES, TAKES, Loaded, Said
from shared.errors import BackendError, InvalidRequest
from shared.requests import Request, SpeechRequest
from shared.streaming import Emit

_IMITATES = "Of the models that speak here by transformers, CSM, Dia, Pocket TTS and VibeVoice can imitate a recording."


class TorchSpeaker:
    """Speaks for one person at a time; the pool lets nobody else in meanwhile."""

    concurrency = 1

    def __init__(self, loaded: Loaded, capabilities: Capabilities, facts: Mapping[str, Any]) -> None:
        self._loaded: Any = loaded
        self._family = FAMILIES[loaded.kind]
        self.capabilities, self.facts = capabilities, facts

    def count_tokens(self, request: Request) -> int | None:
        """None: what it reads has no limit that a person would know."""
        return None

    def close(self) -> None:
        """Let the weights go."""
        self._loaded = None

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Speak. Raises `InvalidRequest`, `OutOfMemory` or `Cancelled`; the model stays usable."""
        assert isinstance(request, SpeechRequest)
        if request.reference is not None and "reference" not in TAKES[self._loaded.kind]:
            raise InvalidRequest(f"{_IMITATES} Choose one of them, or leave the recording out.")
        said = utterances(request, self._family.most)
        rate = self._family.rate(self._loaded)
        speaking = Speaking(emit, rate, len(said), request.speed, marker(request, rate))
        for number, utterance in enumerate(said):
            emit.check()
            speaking.begin(utterance)
            made = within_memory(partial(self._say, utterance.text, utterance.voice, request, number, emit))
            if made is None:
                speaking.end()
                continue
            speaking.add(made.samples)
            seconds, alignment = len(made.samples) / rate, made.alignment
            speaking.end(words_of(alignment, utterance.text, seconds) if alignment else ())
            speaking.tell(seconds, made.codes, alignment)
        return self._outcome(speaking, request)

    def _say(self, text: str, voice: str | None, request: SpeechRequest, number: int, emit: Emit) -> Said | None:
        import torch

        loaded = self._loaded
        devices = [torch.cuda.current_device()] if loaded.device == "cuda" else []
        parts = [part for part in (loaded.model, loaded.vocoder) if part is not None]
        with torch.random.fork_rng(devices), torch.inference_mode(), of_growing_length(), _stoppable(parts, emit):
            torch.manual_seed(((request.seed or 0) + number) % 2**32)
            made = self._family.say(loaded, text, voice, request)
        if made is None:
            return None
        samples = made.samples.detach().float().cpu().reshape(-1).numpy()
        if not _finite(samples):
            raise BackendError(
                "This model's numbers went out of bounds, so that there is no sound. Its weights are damaged: "
                "download it again, or choose another engine."
            )
        return replace(made, samples=samples)

    def _outcome(self, speaking: Speaking, request: SpeechRequest) -> Outcome:
        output = speaking.output()
        if not output.pcm:
            raise InvalidRequest("This voice finds nothing to say in this text. Change it, or choose another voice.")
        takes = TAKES[self._loaded.kind]
        left = {
            name: f"Models of the kind {self._loaded.kind} have no such setting."
            for name in request.settings()
            if name not in takes
        }
        return Outcome(output=output, facts={"unhonoured": left} if left else {})


@contextlib.contextmanager
def _stoppable(parts: list[Any], emit: Emit) -> Iterator[None]:
    """Let each layer ask whether to stop: one step of some of these models takes seconds."""
    from torch.nn import ModuleList

    stacks = [module for part in parts for module in part.modules() if isinstance(module, ModuleList)]
    hooks = [layer.register_forward_pre_hook(lambda *_: emit.check()) for stack in stacks for layer in stack]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _finite(samples: Any) -> bool:
    import numpy

    return bool(numpy.isfinite(samples).all())
