"""The 3D Space's API: `/generate` and `/models`, for `gradio_client`, HTTP and MCP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gradio as gr
from gradio.events import api

from shared.data_urls import data_url
from shared.engine import Engine
from shared.errors import InferenceError
from shared.events import Final
from shared.image.gate import gated
from shared.quoting import agree
from shared.requests import Request, SolidRequest
from shared.settings import Settings
from shared.solid.files import kind_of
from shared.solid.finishing import finish
from shared.solid.making import Making, makings
from shared.tasks import Task
from shared.ui.image.api import part_of
from shared.ui.jobs_api import job_of, jobs_of
from shared.ui.models_api import models_of
from shared.ui.motion.api import motion_of
from shared.ui.reading import read_mode


def endpoints(engine: Engine) -> None:
    """Add the endpoints to the Blocks being built."""
    api(_generate(engine), api_name="generate", concurrency_limit=None)
    api(motion_of(engine), api_name="motion", concurrency_limit=None)
    api(models_of(engine, Task.TEXT_TO_3D, Task.TEXT_TO_MOTION), api_name="models")
    api(jobs_of(engine, Task.TEXT_TO_3D), api_name="jobs")
    api(job_of(engine, partial(_of_job, engine.settings), Task.TEXT_TO_3D), api_name="job")


def _of_job(settings: Settings, final: Final, request: Request) -> dict[str, Any]:
    """What a caller gets of a job that is done."""
    assert isinstance(request, SolidRequest)
    return _plain(Making(output=final.output, receipt=final.receipt), request, settings, "glb", "painted")


def _generate(engine: Engine) -> Callable[..., Iterator[dict[str, Any]]]:
    def generate(
        prompt: str = "",
        model: str = "starter-lift",
        mode: str = "",
        engine_variant: str = "",
        image: str = "",
        left_image: str = "",
        back_image: str = "",
        right_image: str = "",
        seed: int | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        size_mm: float | None = None,
        resolution: int | None = None,
        depth: float | None = None,
        parts: float | None = None,
        back: str = "",
        tolerance: float | None = None,
        see_through: bool | None = None,
        file: str = "glb",
        material: str = "painted",
        agree_to_cost: bool = False,
        max_cost_usd: float | None = None,
        owner_token: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Make a solid from words or a picture. Yields how far it is; the last holds the file and the receipt.

        Args:
            prompt: what it should be, as in "a red apple".
            model: a model id from /models.
            mode: "quantized", "local" or "hosted"; empty takes the model's first engine that can run.
            engine_variant: a `variant` from /models, where a model has several engines of a kind.
            image: a picture to lift, as a data URL ("data:image/png;base64,..."): one thing on a plain background.
            left_image: for engines that look at several sides, a picture of its left; `image` is then the front.
            back_image: the same of its back.
            right_image: the same of its right.
            seed: left out, one is drawn; the receipt names it.
            num_inference_steps: of the model that draws or makes; left out, the model's own, as for all below.
            guidance_scale: how closely the words are followed.
            size_mm: of the longest side, in millimetres.
            resolution: of engines that lift: cells along the longer side, 16 to 256.
            depth: how far it rises; 1 makes a ball of a disc.
            parts: how much each part of another colour rises by itself, 0 to 1.
            back: "round" or "flat".
            tolerance: how unlike the background a colour must be, in L*a*b*.
            see_through: whether background that the object encloses is a hole.
            file: "glb", "obj" (zipped), "ply", "stl" or "splat" (Gaussian splats): what it comes as, a data URL.
            material: "painted", "glazed", "clay", "plaster", "steel" or "gold", of GLB and OBJ.
            agree_to_cost: a hosted engine charges for its work: whether that is agreed to.
            max_cost_usd: agreed to up to that many US dollars, where the price is known.
            owner_token: from /jobs: by it a hosted engine's job is found again.
        """
        try:
            kind_of(file)
            asked = SolidRequest(
                prompt=prompt,
                image=part_of(image),
                left_image=part_of(left_image),
                back_image=part_of(back_image),
                right_image=part_of(right_image),
                seed=seed,
                num_inference_steps=num_inference_steps,
                guidance_scale=guidance_scale,
                size_mm=size_mm,
                resolution=resolution,
                depth=depth,
                parts=parts,
                back=back or None,
                tolerance=tolerance,
                see_through=see_through or None,
            )
            where: dict[str, Any] = {"mode": read_mode(mode), "variant": engine_variant or None}
            agree(engine.quote(model, asked, **where), agree_to_cost, max_cost_usd)
            owner = engine.jobs.owners.owner(owner_token)
            events = engine.generate(model, asked, owner=owner, **where)
            for making in makings(gated(events, asked, engine.settings)):
                if making.error:
                    raise making.error
                yield _plain(making, asked, engine.settings, file, material)
        except InferenceError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return generate


def _plain(making: Making, asked: SolidRequest, settings: Settings, kind: str, material: str) -> dict[str, Any]:
    output, receipt = making.output, making.receipt
    whole = receipt is not None and output is not None and output.solid is not None
    finished = finish(output, receipt, asked, settings) if whole and output and receipt else None
    receipt = finished.receipt if finished else receipt
    return {
        "status": making.status,
        "solid": data_url(finished.file(kind, material), kind_of(kind).media_type) if finished else None,
        "picture": output.picture.data_url if finished and output and output.picture else None,
        "finish_reason": making.finish_reason,
        "notes": [finished.words] if finished and finished.words else [],
        "receipt": receipt.to_dict() if receipt else None,
    }
