"""The video Space's API: `/generate` and `/models`, for `gradio_client`, HTTP and MCP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gradio as gr
from gradio.events import api

from shared.data_urls import data_url
from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.events import Final
from shared.image.gate import gated
from shared.quoting import agree
from shared.requests import Request, Shot, VideoRequest
from shared.settings import Settings
from shared.tasks import Task
from shared.ui.image.api import part_of
from shared.ui.jobs_api import job_of, jobs_of
from shared.ui.models_api import models_of
from shared.ui.reading import read_mode
from shared.video.filming import Filming, filmings
from shared.video.finishing import finish
from shared.video.given import clip_of


def endpoints(engine: Engine) -> None:
    """Add the endpoints to the Blocks being built."""
    api(_generate(engine), api_name="generate", concurrency_limit=None)
    api(models_of(engine, Task.TEXT_TO_VIDEO), api_name="models")
    api(jobs_of(engine, Task.TEXT_TO_VIDEO), api_name="jobs")
    api(job_of(engine, partial(_of_job, engine.settings), Task.TEXT_TO_VIDEO), api_name="job")


def _generate(engine: Engine) -> Callable[..., Iterator[dict[str, Any]]]:
    def generate(
        prompt: str,
        model: str = "fluent-travel",
        mode: str = "",
        engine_variant: str = "",
        negative_prompt: str = "",
        shots: list[list[Any]] | None = None,
        camera: str = "",
        image: str = "",
        last_image: str = "",
        video: str = "",
        duration: float | None = None,
        fps: float | None = None,
        num_frames: int | None = None,
        width: int | None = None,
        height: int | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        strength: float | None = None,
        wander: float | None = None,
        step_cache: float | None = None,
        action: str = "",
        seed: int | None = None,
        agree_to_cost: bool = False,
        max_cost_usd: float | None = None,
        owner_token: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Make a clip from words. Yields how far it is; the last one holds the clip and the receipt.

        Args:
            prompt: what the clip should show.
            model: a model id from /models.
            mode: "quantized", "local" or "hosted"; empty takes the model's first engine that can run.
            engine_variant: a `variant` from /models, where a model has several engines of a kind.
            negative_prompt: what it should not show.
            shots: what it comes to afterwards: pairs of a second and a prompt, as in [[1.5, "a butterfly"]].
            camera: "zoom_in", "pan_left", "roll_right" and the like; empty says nothing of it.
            image: the first picture, as a data URL ("data:image/png;base64,...").
            last_image: the last picture, as a data URL.
            video: for engines that go on from a clip, that clip as a data URL ("data:video/mp4;base64,...").
            duration: in seconds; left out, the model's own, as for all settings below.
            fps: frames a second.
            num_frames: how many frames, instead of a duration.
            width: in pixels.
            height: in pixels.
            num_inference_steps: denoising steps.
            guidance_scale: how closely the words are followed.
            strength: for engines that go on from frame to frame, how much of each is drawn anew, 0 to 1.
            wander: for the same, how far the noise goes through the clip, 0 to 1.
            step_cache: for video models: how alike steps must be for most of one to be taken from the one before.
            action: for world models, keys and for how many frames each is held, as in "w-40,jw-20".
            seed: left out, one is drawn; the receipt names it.
            agree_to_cost: for engines that charge: the cost, which is told otherwise, is agreed to.
            max_cost_usd: instead, the most that it may cost, in US dollars.
            owner_token: from /jobs, where what a hosted engine makes is to be found again by it.
        """
        try:
            asked = VideoRequest(
                prompt=prompt,
                negative_prompt=negative_prompt or None,
                shots=_shots(shots),
                camera=camera or None,
                image=part_of(image),
                last_image=part_of(last_image),
                video=clip_of(video),
                duration=duration,
                fps=fps,
                num_frames=num_frames,
                width=width,
                height=height,
                num_inference_steps=num_inference_steps,
                guidance_scale=guidance_scale,
                strength=strength,
                wander=wander,
                step_cache=step_cache,
                action=action or None,
                seed=seed,
            )
            where: dict[str, Any] = {"mode": read_mode(mode), "variant": engine_variant or None}
            agree(engine.quote(model, asked, **where), agree_to_cost, max_cost_usd)
            events = engine.generate(model, asked, owner=engine.jobs.owners.owner(owner_token), **where)
            for clip in filmings(gated(events, asked, engine.settings)):
                if clip.error and not (clip.output and clip.output.video):
                    raise clip.error
                yield plain(clip, asked, engine.settings)
        except InferenceError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return generate


def _shots(rows: list[list[Any]] | None) -> tuple[Shot, ...]:
    """Raises `InvalidRequest` where they are no pairs of a second and a prompt."""
    try:
        return tuple(Shot(start=float(start), prompt=str(prompt)) for start, prompt in rows or ())
    except (TypeError, ValueError):
        raise InvalidRequest('shots must be pairs of a second and a prompt, as in [[1.5, "a butterfly"]].') from None


def _of_job(settings: Settings, final: Final, request: Request) -> dict[str, Any]:
    assert isinstance(request, VideoRequest)
    return plain(Filming(output=final.output, receipt=final.receipt), request, settings)


def plain(clip: Filming, asked: VideoRequest, settings: Settings) -> dict[str, Any]:
    """What a caller gets of a clip as far as it has come."""
    whole = clip.output is not None and bool(clip.output.video) and clip.receipt is not None
    finished = finish(clip.output, clip.receipt, asked, settings) if whole and clip.output and clip.receipt else None
    return {
        "status": clip.status,
        "frames": len(clip.frames),
        "video": data_url(finished.data, finished.media_type) if finished else None,
        "finish_reason": clip.finish_reason,
        "notes": [finished.words] if finished and finished.words else [],
        "error": str(clip.error) if clip.error else None,
        "receipt": clip.receipt.to_dict() if clip.receipt else None,
    }
