"""What the Jobs tab and its endpoints do, by calling what their components call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from shared.engine import Engine
from shared.errors import ProviderError
from shared.events import Final
from shared.requests import MusicRequest, SoundRequest, VideoRequest
from shared.tasks import Task
from shared.ui.audio.api import _of_job
from shared.ui.audio.job_view import JobView
from shared.ui.jobs_api import job_of, jobs_of
from shared.ui.jobs_panel import JobsPanel, Owner
from tests.support.fake_server import Act
from tests.support.hosted_video import Filming, filming
from tests.support.protocols_music import FalSounds, wav
from tests.support.protocols_video import DONE, WORKING, Runway, clip

BROKEN = Act(status=500, body={"error": "broken"})


class Bytes:
    """Shows a clip as its bytes."""

    def __init__(self) -> None:
        self.outputs = [gr.State(None)]

    def show(self, final: Final, request: Any, settings: Any) -> list[Any]:
        assert request.prompt == "a ball rolls"
        return [final.output.video]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Filming]:
    with filming(Runway(), tmp_path, safety="off") as made:
        yield made


def built(engine: Engine, view: Any = Bytes, *tasks: Task) -> tuple[JobsPanel, Owner]:
    """The tab on a page, built where an event loop runs: elsewhere Gradio leaves loops of its own open."""

    async def build() -> tuple[JobsPanel, Owner]:
        with gr.Blocks(analytics_enabled=False) as demo:
            owner = Owner(engine)
            with gr.Tab("Jobs") as tab:
                made = JobsPanel(engine, owner, view, *(tasks or (Task.TEXT_TO_VIDEO,)))
            made.wire(demo, tab, gr.State({}))
        return made, owner

    return asyncio.run(build())


def panel(case: Filming) -> tuple[JobsPanel, str]:
    """The tab, and the token of a browser that came."""
    made, owner = built(case.engine)
    token = owner.given("")
    assert owner.given(token) == token and owner.given("made up.by somebody") not in {token, "made up.by somebody"}
    return made, token


def left(case: Filming, owner: str) -> None:
    """A job that was sent, and whose page is gone."""
    case.provider.states = [BROKEN]
    with pytest.raises(ProviderError):
        list(case.engine.generate(Runway().model, VideoRequest(prompt="a ball rolls", duration=5.0), owner=owner))


def test_a_pending_job_is_looked_at_until_it_is_done_and_then_opened(case: Filming) -> None:
    tab, token = panel(case)
    left(case, tab._owner.of(token))
    case.provider.states = [WORKING, DONE]
    *_, timer = tab._look(token, {}, None)
    assert timer["active"]
    looked = len(case.provider.looks)
    _, chosen, *_, timer = tab._look(token, {}, None)
    assert not timer["active"] and len(case.provider.looks) == looked + 1
    ((line, job_id),) = chosen["choices"]
    assert all(part in line for part in ("a ball rolls", "gen4.5", "done", "$0.60"))
    assert tab._open(token, {}, job_id)[-1] == clip()
    *_, timer = tab._forget(token, {}, job_id)
    assert not tab._look(token, {}, None)[1]["choices"] and len(case.provider.sent) == 1


def test_a_job_is_called_off_and_one_that_is_pending_is_not_forgotten(case: Filming) -> None:
    tab, token = panel(case)
    left(case, tab._owner.of(token))
    ((_, job_id),) = tab._listed(token, {}, None)[1]["choices"]
    assert "Call it off first" in tab._forget(token, {}, job_id)[0]
    assert "told to stop" in tab._call_off(token, {}, job_id)[0] and len(case.provider.called_off) == 1


def test_somebody_elses_job_is_neither_seen_nor_touched(case: Filming) -> None:
    tab, token = panel(case)
    left(case, tab._owner.of(token))
    ((_, job_id),) = tab._listed(token, {}, None)[1]["choices"]
    for other in (tab._owner.given(""), "", None, "x.y"):
        assert not tab._look(other, {}, None)[1]["choices"]
        for act in (tab._open, tab._call_off, tab._forget):
            assert "no such job" in act(other, {}, job_id)[0]
    assert tab._listed(token, {}, None)[1]["choices"] and not case.provider.called_off


def test_what_keeps_a_job_from_being_looked_at_is_told(case: Filming) -> None:
    tab, token = panel(case)
    left(case, tab._owner.of(token))
    bare = case.again(server_keys={})
    later, _ = built(bare.engine)
    told, *_, timer = later._look(token, {}, None)
    assert "RUNWAYML_API_SECRET" in told and timer["active"]


def test_the_endpoints_list_jobs_and_look_at_one(case: Filming) -> None:
    jobs, job = (
        jobs_of(case.engine, Task.TEXT_TO_VIDEO),
        job_of(case.engine, lambda final, request: {"bytes": len(final.output.video)}, Task.TEXT_TO_VIDEO),
    )
    token = jobs()["owner_token"]
    assert jobs(token) == {"owner_token": token, "jobs": []}
    left(case, case.engine.jobs.owners.owner(token))
    case.provider.states = [WORKING, DONE]
    (told,) = jobs(token)["jobs"]
    assert (told["state"], told["quoted_usd"]) == ("running", 0.6)
    assert job(told["id"], token)["progress"] == 0.4
    assert job(told["id"], token)["bytes"] == len(clip()) and jobs(token)["jobs"][0]["state"] == "done"
    for wrong in ("", jobs()["owner_token"]):
        with pytest.raises(gr.Error, match="no such job"):
            job(told["id"], wrong)


@pytest.fixture
def sounds(tmp_path: Path) -> Iterator[Filming]:
    with filming(FalSounds(), tmp_path) as made:
        made.provider.file = [Act(body=wav(), headers={"Content-Type": "audio/wav"})] * 3
        yield made


def test_music_and_sounds_have_one_tab_and_are_opened_with_their_receipt(sounds: Filming) -> None:
    tab, owner = built(sounds.engine, JobView, Task.TEXT_TO_AUDIO, Task.TEXT_TO_SOUND)
    token = owner.given("")
    for kind in (MusicRequest, SoundRequest):
        list(
            sounds.engine.generate(FalSounds().model, kind(prompt="a slow waltz", duration=5.0), owner=owner.of(token))
        )
    choices = tab._look(token, {}, None)[1]["choices"]
    assert len(choices) == 2 and not built(sounds.engine)[0]._look(token, {}, None)[1]["choices"]
    jobs, job = jobs_of(sounds.engine, *tab._tasks), job_of(sounds.engine, _of_job, *tab._tasks)
    assert len(jobs(token)["jobs"]) == 2
    for _, job_id in choices:
        sound, _, box, receipt = tab._open(token, {}, job_id)[-4:]
        written = Path(sound["value"]).read_bytes()
        assert b"a slow waltz" in written and box["visible"] and "stable-audio-25" in receipt
        assert job(job_id, token)["audio"].startswith("data:audio/wav;base64,")
