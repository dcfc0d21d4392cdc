"""The 3D Space: words or a picture, and a solid that can be turned, measured and printed."""

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
from shared.ui.motion.panel import MotionPanel  # noqa: E402
from shared.ui.motion.settings import MotionSettings  # noqa: E402
from shared.ui.page import open_page  # noqa: E402
from shared.ui.serve import serve  # noqa: E402
from shared.ui.solid.api import endpoints  # noqa: E402
from shared.ui.solid.compare_panel import ComparePanel  # noqa: E402
from shared.ui.solid.inside_panel import InsidePanel  # noqa: E402
from shared.ui.solid.job_view import JobView  # noqa: E402
from shared.ui.solid.learn_panel import LearnPanel  # noqa: E402
from shared.ui.solid.lessons_panel import SolidLessons  # noqa: E402
from shared.ui.solid.make_panel import MakePanel, shown  # noqa: E402
from shared.ui.solid.print_panel import PrintPanel  # noqa: E402
from shared.ui.solid.settings_panel import SolidSettings  # noqa: E402

TASK, MOTION = Task.TEXT_TO_3D, Task.TEXT_TO_MOTION
WORDS = "From words or a picture to a thing you can turn, measure and print."


def build(engine: Engine) -> gr.Blocks:
    """The screen, over an engine that may be shared with other Spaces."""
    with open_page(engine, TASK, "Text to 3D", WORDS, MOTION) as page:
        owner = page.owner
        with page.tabs():
            with page.tab("Make", "make", TASK):
                make = MakePanel(engine, page.runs, page.picker.first)
            with page.tab("Compare", "compare", TASK):
                compare = ComparePanel(engine, page.runs)
            with page.tab("Look inside", "inside", TASK):
                inside = InsidePanel(engine, page.runs)
            with gr.Tab("Print", id="print"):
                printing = PrintPanel(page.runs)
            with gr.Tab("Learn", id="learn"):
                learn = LearnPanel(page.runs)
            with page.tab("Motion", "motion", MOTION):
                motion = MotionPanel(engine, page.runs)
            with gr.Tab("Jobs", id="jobs") as working:
                jobs = JobsPanel(engine, owner, JobView, TASK)
        with page.side():
            lessons = LessonsPanel(TASK, read_lessons(HERE / "lessons"), see="What do you see?")
            with page.beside(TASK), gr.Accordion("Settings", open=True):
                settings = SolidSettings(engine, page.picker.first)
            with page.beside(MOTION), gr.Accordion("Settings", open=True):
                motion_settings = MotionSettings(engine, page.picker_of(MOTION).first)
        page.connect(Together(settings, make.views), motion_settings)
        make.wire(page.picker.inputs, settings.inputs, page.keys.state, owner)
        compare.wire(page.picker.inputs, settings.inputs, page.keys.state)
        jobs.wire(page.demo, working, page.keys.state)
        inside.wire(make.made, page.keys.state)
        for each in (printing, learn):
            each.wire(make.made)
        motion.wire(page.picker_of(MOTION).inputs, motion_settings.inputs, page.keys.state)
        lessons.wire(page.demo, SolidLessons(engine, page, make, settings.inputs))
        page.share(make, make.made, shown)
        page.puts_back(motion.restoring, MOTION, "motion")
        endpoints(engine)
    return page.demo


demo = build(Engine(load_catalog(), from_environment()))

if __name__ == "__main__":
    serve(demo)
