"""A run of the video Space, from what the controls say to a file: what every panel that makes clips does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.image.gate import gated
from shared.requests import VideoRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Mode, Task
from shared.ui.following import following
from shared.ui.model_picker import Picked
from shared.ui.sessions import Runs
from shared.ui.video.files import keep
from shared.video.filming import Filming, filmings
from shared.video.finishing import finish, previews_looked_over


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A clip as far as it has come; once it is done, its files (the clip's first) and what there is to say of it.

    `quoted`: nothing was made yet, since this is what it will cost, which must be agreed to first.
    """

    clip: Filming
    paths: tuple[str, ...] = ()
    words: str = ""
    quoted: str = ""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Whose a run is: the settings with this visitor's keys, the owner of jobs, and whether the cost was agreed to."""

    settings: Settings
    owner: str = ""
    agreed: bool = False


def made(engine: Engine, asked: VideoRequest, picked: Picked, visit: Visit, cancel: CancelToken) -> Iterator[Kept]:
    """Make it, looked over and with its receipt in the file. An error stands in the last one."""
    settings = visit.settings
    try:
        if not picked.model:
            raise InvalidRequest("Choose a model first.")
        where: dict[str, Any] = {"mode": Mode(picked.mode), "variant": picked.variant or None, "settings": settings}
        if not visit.agreed and (quoted := engine.quote(picked.model, asked, **where)).asks:
            yield Kept(clip=Filming(), quoted=quoted.words)
            return
        events = engine.generate(picked.model, asked, cancel=cancel, owner=visit.owner, **where)
        for clip in previews_looked_over(filmings(gated(events, asked, settings, cancel)), settings):
            yield _kept(clip, asked, settings)
    except InferenceError as error:
        yield Kept(clip=Filming(error=error))


def _kept(clip: Filming, asked: VideoRequest, settings: Settings) -> Kept:
    if clip.receipt is None or clip.output is None or not clip.output.video:
        return Kept(clip=clip)
    finished = finish(clip.output, clip.receipt, asked, settings)
    paths = keep(finished, asked, clip.receipt)
    return Kept(clip=clip, paths=tuple(paths), words=finished.words)


def followed(
    engine: Engine, runs: Runs, request: gr.Request, visit: Visit, picked: Picked, ask: Callable[[], VideoRequest]
) -> Iterator[Kept]:
    """The same for a visitor, who may stop it. `ask` reads the controls and may raise `InvalidRequest`."""
    try:
        asked = ask()
    except InferenceError as error:
        yield Kept(clip=Filming(error=error))
        return
    with runs.running(request.session_hash or "local") as (cancel,):
        yield from made(engine, asked, picked, visit, cancel)


def seconds_of(engine: Engine, picked: Picked, settings: Settings, given: dict[str, Any]) -> float:
    """How long the clip will be, as far as that is known before it is made: 3 seconds where it isn't."""
    found = following(engine, Task.TEXT_TO_VIDEO, picked, settings)
    clips = found.capabilities.clips if found else None
    if found is None or clips is None:
        return float(given.get("duration") or 3.0)
    fps = float(given.get("fps") or found.defaults.get("fps") or clips.fps)
    request = VideoRequest(prompt="-", **{n: given[n] for n in ("duration", "num_frames", "fps") if n in given})
    return request.frames(int(found.defaults.get("num_frames") or clips.frames), fps) / fps
