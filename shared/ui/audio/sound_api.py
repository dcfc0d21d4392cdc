"""The `/sound` endpoint: a sound from words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from shared.audio.finishing import finish
from shared.audio.spoken import Spoken, speeches
from shared.data_urls import data_url
from shared.engine import Engine
from shared.errors import InferenceError
from shared.media.sound.files import kind_of
from shared.requests import Request, SoundRequest
from shared.ui.reading import read_mode


def sound_of(engine: Engine) -> Callable[..., Iterator[dict[str, Any]]]:
    """The endpoint's function."""

    def sound(
        prompt: str,
        model: str = "stable-audio-open",
        mode: str = "",
        engine_variant: str = "",
        duration: float | None = None,
        negative_prompt: str = "",
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        seed: int | None = None,
        file: str = "wav",
        owner_token: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Make a sound from words. Yields how far it is; the last holds the file and the receipt.

        Args:
            prompt: what is to be heard, as in "rain on a tin roof".
            model: a model id from /models whose task is text-to-sound.
            mode: "quantized", "local" or "hosted"; empty takes the model's first engine that can run.
            engine_variant: a `variant` from /models, where a model has several engines of a kind.
            duration: how long, in seconds.
            negative_prompt: what the sound should not be like.
            num_inference_steps: more are slower and often better.
            guidance_scale: how closely the words are followed.
            seed: left out, one is drawn; the receipt names it.
            file: "wav", "flac", "mp3" or "ogg": what it comes as, a data URL.
            owner_token: from /jobs, where what a hosted engine makes is to be found again by it.
        """
        try:
            kind_of(file)
            asked = SoundRequest(
                prompt=prompt,
                duration=duration,
                negative_prompt=negative_prompt or None,
                num_inference_steps=num_inference_steps,
                guidance_scale=guidance_scale,
                seed=seed,
            )
            where: dict[str, Any] = {"mode": read_mode(mode), "variant": engine_variant or None}
            owner = engine.jobs.owners.owner(owner_token)
            events = engine.generate(model, asked, owner=owner, **where)
            for made in speeches(events):
                if made.error and not (made.sound and made.sound.pcm):
                    raise made.error
                yield plain(made, asked, file)
        except InferenceError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return sound


def plain(made: Spoken, asked: Request, kind: str) -> dict[str, Any]:
    """What a caller gets of it."""
    whole = made.sound is not None and bool(made.sound.pcm) and made.receipt is not None
    finished = finish(made.sound, made.receipt, asked, kind) if whole and made.sound and made.receipt else None
    receipt = finished.receipt if finished else made.receipt
    return {
        "status": made.status,
        "seconds": round(made.seconds, 3),
        "audio": data_url(finished.data, finished.kind.media_type) if finished else None,
        "finish_reason": made.finish_reason,
        "error": str(made.error) if made.error else None,
        "receipt": receipt.to_dict() if receipt else None,
    }
