"""A MusicGen in memory: words in, codec tokens and then sound out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.audio.pcm import to_pcm, to_samples
from shared.audio.resampling import resampled
from shared.backends.base import Capabilities, Outcome, Usage
from shared.backends.local.attention import of_growing_length
from shared.backends.local.codes import caught
from shared.backends.local.failures import within_memory
from shared.backends.local.parts import OfParts
from shared.backends.musicgen.chroma import chroma
from shared.errors import CorruptWeights, InvalidRequest
from shared.events import Progress
from shared.outputs import AudioOutput, SoundInside
from shared.requests import MusicRequest

if TYPE_CHECKING:
    from shared.audio.pcm import Samples
    from shared.requests import Recording, Request
    from shared.streaming import Emit

SECONDS, MOST = 10.0, 30.0  # where nobody says; what it was trained on
LEAD = 10.0  # seconds of a recording, its last, that the music goes on from
MELODY = "musicgen_melody"  # transformers' name for the kind that follows a tune
LESS = "Ask for fewer seconds, unload other models, or choose a smaller model."
GUIDANCE = 3.0  # its makers' own


class MusicGenModel(OfParts):
    """Composes for one person at a time."""

    def __init__(self, model: Any, reader: Any, capabilities: Capabilities, facts: Mapping[str, Any]) -> None:
        super().__init__(model, capabilities, facts)
        self._reader: Any = reader

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Compose. Raises `InvalidRequest`, `OutOfMemory`, `CorruptWeights` or `Cancelled`."""
        assert isinstance(request, MusicRequest)
        self._refuse(request)
        codec = self._parts.config.audio_encoder
        led, seconds = _end_of(request.lead_in, codec.sampling_rate), request.duration or SECONDS
        before = 0.0 if led is None else len(led) / codec.sampling_rate
        if seconds + before > MOST:
            raise InvalidRequest(
                f"MusicGen learned from {MOST:g} seconds at a time. Lower the duration to "
                f"{math.floor(MOST - before)} seconds."
            )
        frames = math.ceil(seconds * codec.frame_rate)
        with caught(self._parts.audio_encoder, "decode") as tokens:
            made = within_memory(lambda: self._composed(request, frames, led, emit), LESS)
        samples = made.float().cpu().numpy().T[: round((before + seconds) * codec.sampling_rate)]
        if not _finite(samples):
            raise CorruptWeights(
                "This model's numbers went out of bounds, so that there is no sound. Download the model again, or "
                "choose another engine."
            )
        inside = SoundInside(start=0.0, end=len(samples) / codec.sampling_rate, codes=tokens.codes(codec.codebook_size))
        output = AudioOutput(
            pcm=to_pcm(samples.reshape(-1)),
            sample_rate=codec.sampling_rate,
            channels=samples.shape[1],
            inside=(inside,),
        )
        told = f"The first {before:.1f} seconds are the recording, as the model's codec hears it."
        facts = {"notes": (told,)} if led is not None else {}
        return Outcome(output=output, usage=Usage(output_tokens=frames), facts=facts)

    def _refuse(self, request: MusicRequest) -> None:
        """Raise `InvalidRequest` for what only the other kind of MusicGen can."""
        if request.melody is not None and not self._follows:
            raise InvalidRequest("This MusicGen follows no recording. Choose MusicGen melody, or leave that out.")
        if request.lead_in is not None and self._follows:
            raise InvalidRequest(
                "MusicGen melody follows a recording and doesn't go on from one. Choose MusicGen small or medium, or "
                "let it follow the tune."
            )

    @property
    def _follows(self) -> bool:
        return bool(self._parts.config.model_type == MELODY)

    def _inputs(self, request: MusicRequest, led: Samples | None) -> dict[str, Any]:
        """What the model reads: the words, and a recording in the form that it knows."""
        rate = self._parts.config.audio_encoder.sampling_rate
        heard = {} if led is None else {"audio": [led], "sampling_rate": rate}
        inputs = dict(self._reader(text=[request.prompt], padding=True, return_tensors="pt", **heard))
        if request.melody is not None:
            tune = resampled(to_samples(request.melody.pcm), request.melody.sample_rate, rate)
            inputs["input_features"] = chroma(tune, rate, self._parts.config.num_chroma)
        return {name: self._there(value) for name, value in inputs.items()}

    def _there(self, value: Any) -> Any:
        """On the model's device, and sound in the numbers that it reads: on a GPU these are narrower."""
        return value.to(self._parts.device, self._parts.dtype if value.is_floating_point() else None)

    def _composed(self, request: MusicRequest, frames: int, led: Samples | None, emit: Emit) -> Any:
        """The sound, (channels, samples)."""
        import torch

        device = self._parts.device
        inputs = self._inputs(request, led)
        guidance = GUIDANCE if request.guidance_scale is None else request.guidance_scale
        temperature = 1.0 if request.temperature is None else request.temperature
        emit(Progress("Composing", 0, frames))
        devices = [torch.cuda.current_device()] if device.type == "cuda" else []
        # Its codebooks are written one behind the other, so that the last is ready that much later.
        late = self._parts.decoder.config.num_codebooks
        with torch.random.fork_rng(devices), torch.inference_mode(), of_growing_length():
            torch.manual_seed((request.seed or 0) % 2**63)
            return self._parts.generate(
                **inputs,
                do_sample=temperature > 0,
                temperature=max(temperature, 0.01),
                top_p=request.top_p,
                top_k=self._parts.generation_config.top_k if request.top_p is None else 0,
                guidance_scale=max(guidance, 1.0),
                max_new_tokens=frames + late - 1,
                stopping_criteria=_watched(frames, emit),
            )[0]


def _watched(frames: int, emit: Emit) -> Any:
    """What transformers asks after each frame whether to stop: it tells how far it is."""
    import torch
    from transformers import StoppingCriteriaList

    began: list[int] = []  # with how many frames: a recording's are there before the first

    def seen(ids: Any, scores: Any, **more: Any) -> Any:
        emit.check()
        began[:] = began or [ids.shape[-1] - 1]
        if (at := ids.shape[-1] - began[0]) % 25 == 0:
            emit(Progress(f"Frame {min(at, frames)} of {frames}", min(at, frames), frames))
        return torch.zeros(len(ids), dtype=torch.bool, device=ids.device)

    return StoppingCriteriaList([seen])


def _end_of(recording: Recording | None, rate: int) -> Samples | None:
    """The recording's last seconds at the codec's rate; None where there is none."""
    if recording is None:
        return None
    return resampled(to_samples(recording.pcm), recording.sample_rate, rate)[-round(LEAD * rate) :]


def _finite(samples: Any) -> bool:
    import numpy

    return bool(numpy.isfinite(samples).all())
