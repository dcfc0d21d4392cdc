"""The `/motion` endpoint: a skeleton's motion from words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from shared.data_urls import data_url
from shared.engine import Engine
from shared.errors import InferenceError
from shared.motion.files import encode, kind_of
from shared.motion.making import Moved, moved
from shared.requests import MotionRequest
from shared.ui.reading import read_mode


def motion_of(engine: Engine) -> Callable[..., Iterator[dict[str, Any]]]:
    """The endpoint's function."""

    def motion(
        prompt: str,
        model: str,
        mode: str = "",
        engine_variant: str = "",
        duration: float | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        seed: int | None = None,
        file: str = "glb",
        owner_token: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Make a skeleton move to words. Yields how far it is; the last holds the file and the receipt.

        Args:
            prompt: what the person does, as in "a person walks forward and waves".
            model: a Hub id, or a folder of this machine, of a motion model; none comes along.
            mode: "local", or empty.
            engine_variant: a `variant`, where a model has several engines of a kind.
            duration: how long, in seconds.
            num_inference_steps: more are slower and often better.
            guidance_scale: how closely the words are followed.
            seed: left out, one is drawn; the receipt names it.
            file: "glb" (animated) or "bvh": what it comes as, a data URL.
            owner_token: from /history, which lists the runs that were begun with it.
        """
        try:
            kind_of(file)
            asked = MotionRequest(
                prompt=prompt,
                duration=duration,
                num_inference_steps=num_inference_steps,
                guidance_scale=guidance_scale,
                seed=seed,
            )
            where: dict[str, Any] = {"mode": read_mode(mode), "variant": engine_variant or None}
            owner = engine.jobs.owners.owner(owner_token)
            events = engine.generate(model, asked, owner=owner, **where)
            for made in moved(events):
                if made.error:
                    raise made.error
                yield _plain(made, asked, file)
        except InferenceError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return motion


def _plain(made: Moved, asked: MotionRequest, file: str) -> dict[str, Any]:
    moving, receipt = (made.output.motion if made.output else None), made.receipt
    whole = moving is not None and receipt is not None
    data = encode(moving, file, receipt, asked) if whole and moving and receipt else None
    return {
        "status": made.status,
        "motion": data_url(data, kind_of(file).media_type) if data else None,
        "seconds": moving.seconds if moving is not None else None,
        "finish_reason": made.finish_reason,
        "receipt": receipt.to_dict() if receipt else None,
    }
