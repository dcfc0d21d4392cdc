"""The image Space's API: `/generate` and `/models`, for `gradio_client`, HTTP and MCP."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.events import api

from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.image.drawing import Drawing, drawings
from shared.image.finishing import finish
from shared.image.gate import gated
from shared.media.opening import open_picture, to_part
from shared.media.reading import read
from shared.requests import ImagePart, ImageRequest
from shared.settings import Settings
from shared.tasks import Task
from shared.ui.models_api import models_of
from shared.ui.reading import read_mode


def endpoints(engine: Engine) -> None:
    """Add the endpoints to the Blocks being built."""
    api(
        _generate(engine),
        api_name="generate",
        concurrency_limit=None,
    )
    api(models_of(engine, Task.TEXT_TO_IMAGE), api_name="models")


def _generate(engine: Engine) -> Callable[..., Iterator[dict[str, Any]]]:
    def generate(
        prompt: str,
        model: str = "fluent-starter",
        mode: str = "",
        engine_variant: str = "",
        negative_prompt: str = "",
        width: int | None = None,
        height: int | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        scheduler: str = "",
        seed: int | None = None,
        num_images_per_prompt: int | None = None,
        image: str = "",
        mask_image: str = "",
        strength: float | None = None,
        outpaint: list[float] | None = None,
        control_image: str = "",
        control: str = "",
        control_read: str = "as it is",
        controlnet_conditioning_scale: float | None = None,
        control_guidance_start: float | None = None,
        control_guidance_end: float | None = None,
        variation_seed: int | None = None,
        variation_strength: float | None = None,
        blend_prompt: str = "",
        blend: float | None = None,
        owner_token: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Draw a picture from words. Yields progress; the last one holds the pictures and the receipt.

        Args:
            prompt: what the picture should show.
            model: a model id from /models.
            mode: "quantized", "local" or "hosted"; empty takes the model's first engine that can run.
            engine_variant: a `variant` from /models, where a model has several engines of a kind.
            negative_prompt: what it should not show.
            width: in pixels; left out, the model's own, as for all settings below.
            height: in pixels.
            num_inference_steps: denoising steps.
            guidance_scale: how closely the words are followed.
            scheduler: a diffusers scheduler's class name.
            seed: left out, one is drawn; the receipt names it.
            num_images_per_prompt: how many, each with the next seed.
            image: a picture to start from, as a data URL ("data:image/png;base64,..."); pictures come back so too.
            mask_image: white where `image` is to be drawn anew; a data URL of the same kind.
            strength: with `image`, how far to go from it, 0 to 1.
            outpaint: with `image`, how much to draw around it: on the left, top, right and bottom, as shares of its
                width or height. With a width and height, it is also enlarged to their shape.
            control_image: a picture that leads the drawing, as a data URL; for models with a ControlNet or T2I-Adapter.
            control: which of the model's to use, such as "canny"; left out, its first.
            control_read: what to read from `control_image` first: "edges", "lines" of a sketch, or "as it is".
            controlnet_conditioning_scale: how strongly it leads, 0 to 2; 1 is as it was trained.
            control_guidance_start: from which share of the steps, 0 to 1.
            control_guidance_end: until which share of the steps, 0 to 1.
            variation_seed: with `variation_strength`, the seed to go towards; left out, one is drawn.
            variation_strength: how far to go from the seed's noise to the variation seed's, 0 to 1.
            blend_prompt: with `blend`, another prompt that is mixed in.
            blend: how far to go from the prompt to the other, 0 to 1.
            owner_token: from /history, which lists the runs that were begun with it.
        """
        try:
            request = ImageRequest(
                prompt=prompt,
                negative_prompt=negative_prompt or None,
                width=width,
                height=height,
                num_inference_steps=num_inference_steps,
                guidance_scale=guidance_scale,
                scheduler=scheduler or None,
                seed=seed,
                num_images_per_prompt=num_images_per_prompt,
                image=part_of(image),
                mask_image=part_of(mask_image),
                strength=strength,
                outpaint=_sides(outpaint),
                control_image=_led_by(control_image, control_read),
                control=control or None,
                controlnet_conditioning_scale=controlnet_conditioning_scale,
                control_guidance_start=control_guidance_start,
                control_guidance_end=control_guidance_end,
                variation_seed=variation_seed,
                variation_strength=variation_strength,
                blend_prompt=blend_prompt or None,
                blend=blend,
            )
            where: dict[str, Any] = {"mode": read_mode(mode), "variant": engine_variant or None}
            owner = engine.jobs.owners.owner(owner_token)
            events = engine.generate(model, request, owner=owner, **where)
            for drawing in drawings(gated(events, request, engine.settings)):
                if drawing.error and not drawing.images:
                    raise drawing.error
                yield _plain(drawing, request, engine.settings)
        except InferenceError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return generate


def part_of(url: str) -> ImagePart | None:
    """A picture from a data URL. Raises `InvalidRequest` where it is none."""
    if not url:
        return None
    head, _, data = url.partition(";base64,")
    if not head.startswith("data:image/"):
        raise InvalidRequest("A picture must be a data URL that begins with data:image/png;base64, for example.")
    try:
        return ImagePart(base64.b64decode(data, validate=True), head.removeprefix("data:"))
    except ValueError:
        raise InvalidRequest("The picture's base64 can't be read. Encode the file's bytes again.") from None


def _led_by(url: str, how: str) -> ImagePart | None:
    """What a control is shown. Raises `InvalidRequest` where it can't be read."""
    part = part_of(url)
    return None if part is None else to_part(read(open_picture(part.data), how))


def _sides(outpaint: list[float] | None) -> tuple[float, float, float, float] | None:
    """Raises `InvalidRequest` where they are no four numbers."""
    if not outpaint:
        return None
    try:
        left, top, right, bottom = map(float, outpaint)
    except (TypeError, ValueError):
        raise InvalidRequest("outpaint must be four numbers: left, top, right, bottom, such as 0, 0, 0.5, 0.") from None
    return left, top, right, bottom


def _plain(drawing: Drawing, request: ImageRequest, settings: Settings) -> dict[str, Any]:
    finished = finish(drawing, request, settings) if drawing.receipt else []
    return {
        "images": [each.image.data_url for each in finished],
        "seeds": list(drawing.seeds),
        "status": drawing.status,
        "finish_reason": drawing.finish_reason,
        "notes": [each.words for each in finished if each.words],
        "error": str(drawing.error) if drawing.error else None,
        "receipt": drawing.receipt.to_dict() if drawing.receipt else None,
    }
