"""The video Space: one prompt and seed, made to move by whichever engine."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# In the project `shared/` is two folders up; in an exported Space it lies beside this file.
sys.path.insert(0, str(next(p for p in (HERE, *HERE.parents) if (p / "shared" / "__init__.py").is_file())))

import gradio as gr  # noqa: E402

from shared.catalog import load_catalog  # noqa: E402
from shared.engine import Engine  # noqa: E402
from shared.lessons import read_lessons  # noqa: E402
from shared.settings import from_environment  # noqa: E402
from shared.tasks import Task  # noqa: E402
from shared.ui.following import Together  # noqa: E402
from shared.ui.jobs_panel import JobsPanel  # noqa: E402
from shared.ui.lessons_panel import LessonsPanel  # noqa: E402
from shared.ui.page import open_page  # noqa: E402
from shared.ui.serve import serve  # noqa: E402
from shared.ui.sharing import newest  # noqa: E402
from shared.ui.video.api import endpoints  # noqa: E402
from shared.ui.video.clip_panel import ClipPanel  # noqa: E402
from shared.ui.video.compare_panel import ComparePanel  # noqa: E402
from shared.ui.video.edit_panel import EditPanel  # noqa: E402
from shared.ui.video.inside_panel import InsidePanel  # noqa: E402
from shared.ui.video.job_view import JobView  # noqa: E402
from shared.ui.video.lessons_panel import VideoLessons  # noqa: E402
from shared.ui.video.make_panel import MakePanel  # noqa: E402
from shared.ui.video.settings_panel import SettingsPanel  # noqa: E402
from shared.ui.video.steps_panel import StepsPanel  # noqa: E402
from shared.ui.video.story_panel import StoryPanel  # noqa: E402
from shared.ui.video.world_panel import WorldPanel  # noqa: E402

TASK = Task.TEXT_TO_VIDEO
WORDS = "One prompt and seed, many engines: see what each makes move."


def build(engine: Engine) -> gr.Blocks:
    """The screen, over an engine that may be shared with other Spaces."""
    with open_page(engine, TASK, "Text to video", WORDS) as page:
        owner = page.owner
        with page.tabs():
            with gr.Tab("Make", id="make"):
                make = MakePanel(engine, page.runs, page.picker.first)
            with gr.Tab("Storyboard", id="story") as telling:
                story = StoryPanel(engine, page.runs)
            with gr.Tab("Compare", id="compare"):
                compare = ComparePanel(engine, page.runs)
            with gr.Tab("Edit", id="edit") as editing:
                edit = EditPanel(page.runs)
            with gr.Tab("Look inside", id="inside"), gr.Tabs():
                with gr.Tab("Motion"):
                    inside = InsidePanel(page.runs)
                with gr.Tab("Steps"):
                    steps = StepsPanel(engine, page.runs)
                with gr.Tab("CLIP over time"):
                    clip = ClipPanel(engine, page.runs)
            with gr.Tab("World", id="world"):
                world = WorldPanel(engine, page.runs)
            with gr.Tab("Jobs", id="jobs") as working:
                jobs = JobsPanel(engine, owner, JobView, TASK)
        with page.side():
            lessons = LessonsPanel(TASK, read_lessons(HERE / "lessons"), see="What do you see?")
            with gr.Accordion("Settings", open=True):
                settings = SettingsPanel(engine, page.picker.first)
        page.connect(Together(settings, make.shots))
        make.wire(page.picker.inputs, settings.inputs, page.keys.state, owner)
        jobs.wire(page.demo, working, page.keys.state)
        compare.wire(make.prompt, make.shots.inputs, page.picker.inputs, settings.inputs, page.keys.state, owner)
        story.wire(telling, page.picker.inputs, settings.inputs, page.keys.state, owner)
        edit.wire(editing, make.made, [make.shots.controls[name] for name in ("image", "video")], page.shown)
        world.wire(settings.inputs, page.keys.state)
        inside.wire(make.film)
        steps.wire(make.prompt, make.shots.inputs, page.picker.inputs, settings.inputs, page.keys.state)
        clip.wire(make.film, make.prompt)
        lessons.wire(page.demo, VideoLessons(page, make, settings.inputs))
        page.share(make, make.made, newest)
        endpoints(engine)
    return page.demo


demo = build(Engine(load_catalog(), from_environment()))

if __name__ == "__main__":
    serve(demo)
