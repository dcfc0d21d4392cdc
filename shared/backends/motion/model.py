"""A motion model ready to run: words in, a skeleton that moves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backends.base import Outcome
from shared.backends.local.failures import within_memory
from shared.backends.local.parts import OfParts
from shared.backends.motion.denoiser import guessed
from shared.errors import CorruptWeights, InvalidRequest
from shared.events import Progress
from shared.motion.features import FEATURES, FPS, recovered
from shared.motion.skeleton import fitted
from shared.outputs import MotionOutput
from shared.requests import MotionRequest

if TYPE_CHECKING:
    from shared.requests import Request
    from shared.streaming import Emit

SECONDS, STEPS = 6.0, 50
_LESS = "Ask for fewer seconds, or unload other models."
_BROKEN = "The model made numbers that are no places. Try another seed; if none works, its weights are damaged."


class MotionModel(OfParts):
    """Runs share nothing but the weights."""

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Make the motion. Raises `InvalidRequest`, `OutOfMemory`, `CorruptWeights` for no numbers, `Cancelled`."""
        assert isinstance(request, MotionRequest)
        config = self._parts.config
        asked = round((request.duration or min(SECONDS, config.max_frames / FPS)) * FPS)
        if asked > config.max_frames:
            raise InvalidRequest(f"This model makes at most {config.max_frames / FPS:g} seconds. Ask for less.")
        if (request.num_inference_steps or 1) > config.steps:
            raise InvalidRequest(f"This model was trained with {config.steps} steps. Ask for at most as many.")
        features, cut = within_memory(lambda: self._drawn(request, asked, emit), _LESS)
        emit(Progress("Fitting the skeleton"))
        places = recovered(features)
        if abs(places).max() > 1000 or not (places == places).all():
            raise CorruptWeights(_BROKEN)
        motion = fitted(places, FPS)
        lost = float(((motion.places() - places) ** 2).sum(axis=-1).mean() ** 0.5)
        facts = {"frames": len(motion), "fps": FPS, "bones_fit_mm": round(1000 * lost, 1)}
        notes = ("The prompt was longer than the model reads; its end was left out.",) if cut else ()
        return Outcome(output=MotionOutput(motion=motion), facts={**facts, "notes": notes})

    def _drawn(self, request: MotionRequest, frames: int, emit: Emit) -> tuple[Any, bool]:
        """Features (frames, 263) in their own units, and whether the prompt was cut."""
        import diffusers
        import torch

        library: Any = diffusers
        parts, config = self._parts, self._parts.config
        device = parts.mean.device
        scale = config.guidance_scale if request.guidance_scale is None else request.guidance_scale
        plan = library.DDPMScheduler(
            num_train_timesteps=config.steps, beta_schedule=config.beta_schedule, prediction_type="sample",
            variance_type="fixed_small", clip_sample=False,
        )  # fmt: skip
        plan.set_timesteps(request.num_inference_steps or min(STEPS, config.steps))
        noise = torch.Generator("cpu").manual_seed((request.seed or 0) % 2**63)
        with torch.inference_mode():
            words, cut = self._words(request.prompt)
            words = torch.cat([words, torch.zeros_like(words)])
            sample = torch.randn((1, frames, FEATURES), generator=noise).to(device)
            for number, step in enumerate(plan.timesteps, start=1):
                at = step.repeat(2).to(device)
                led, free = guessed(parts.network, sample.repeat(2, 1, 1), at, words).chunk(2)
                guess = free + scale * (led - free)
                sample = plan.step(guess, step, sample, generator=noise).prev_sample
                emit(Progress(f"Step {number} of {len(plan.timesteps)}", number, len(plan.timesteps)))
            return (sample[0] * parts.std + parts.mean).cpu().numpy(), cut

    def _words(self, prompt: str) -> tuple[Any, bool]:
        """CLIP's embedding (1, wide), and whether the prompt was longer than is read."""
        tokenizer, encoder = self._parts.tokenizer, self._parts.text_encoder
        most = min(self._parts.config.max_text_tokens, encoder.config.max_position_embeddings)
        given = tokenizer(prompt, truncation=True, max_length=most, return_tensors="pt")
        cut = len(tokenizer(prompt, truncation=False, verbose=False)["input_ids"]) > most
        return encoder(**given.to(encoder.device)).text_embeds, cut
