"""The audio Space: one text, spoken by whichever engine, and music composed from words."""

from __future__ import annotations

import sys
from functools import partial
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
from shared.ui.audio import compose_settings, settings_panel  # noqa: E402
from shared.ui.audio.api import endpoints  # noqa: E402
from shared.ui.audio.compare_panel import ComparePanel  # noqa: E402
from shared.ui.audio.compose_panel import ComposePanel  # noqa: E402
from shared.ui.audio.compose_playing import composed  # noqa: E402
from shared.ui.audio.compose_settings import ComposeSettings  # noqa: E402
from shared.ui.audio.job_view import JobView  # noqa: E402
from shared.ui.audio.lessons_panel import AudioLessons, Place  # noqa: E402
from shared.ui.audio.opinions_panel import opinions_store  # noqa: E402
from shared.ui.audio.place_panel import PlacePanel  # noqa: E402
from shared.ui.audio.settings_panel import SettingsPanel  # noqa: E402
from shared.ui.audio.sound_panel import SoundPanel  # noqa: E402
from shared.ui.audio.sound_settings import SoundSettings  # noqa: E402
from shared.ui.audio.speak_panel import SpeakPanel  # noqa: E402
from shared.ui.audio.warming import warm  # noqa: E402
from shared.ui.jobs_panel import JobsPanel  # noqa: E402
from shared.ui.lessons_panel import LessonsPanel  # noqa: E402
from shared.ui.page import PRIVATE, open_page  # noqa: E402
from shared.ui.serve import serve  # noqa: E402
from shared.ui.sharing import made_by_file  # noqa: E402

SPEECH, MUSIC, SOUND = Task.TEXT_TO_SPEECH, Task.TEXT_TO_AUDIO, Task.TEXT_TO_SOUND
WORDS = "Speech, music and sounds from words, heard and seen while they are made."


def build(engine: Engine) -> gr.Blocks:
    """The screen, over an engine that may be shared with other Spaces."""
    with open_page(engine, SPEECH, "Text to audio", WORDS, MUSIC, SOUND) as page:
        scores = opinions_store()
        with page.tabs():
            with page.tab("Speak", "speak", SPEECH):
                speak = SpeakPanel(engine, page.runs)
            with page.tab("Compose", "compose", MUSIC) as composing:
                compose = ComposePanel(engine, page.runs, scores)
            with page.tab("Sounds", "sounds", SOUND):
                sounds = SoundPanel(engine, page.runs, scores)
            with page.tab("Compare", "compare", SPEECH):
                compare = ComparePanel(engine, page.runs, scores)
            with gr.Tab("In space", id="space"):
                placing = PlacePanel()
            with gr.Tab("Jobs", id="jobs") as working:
                jobs = JobsPanel(engine, page.owner, JobView, MUSIC, SOUND)
        with page.side():
            lessons = LessonsPanel(SPEECH, read_lessons(HERE / "lessons"), see="What do you hear?")
            with page.beside(SPEECH), gr.Accordion("Settings", open=True):
                settings = SettingsPanel(engine, page.picker.first)
            with page.beside(MUSIC), gr.Accordion("Settings", open=True):
                music_settings = ComposeSettings(engine, page.picker_of(MUSIC).first)
            with page.beside(SOUND), gr.Accordion("Settings", open=True):
                sound_settings = SoundSettings(engine, page.picker_of(SOUND).first)
        page.connect(settings, music_settings, sound_settings)
        for panel in (speak, compare):
            panel.wire(page.picker.inputs, settings.inputs, page.keys.state)
        speak.cloning.wire(page.demo, page.keys.state)
        compose.wire(page.picker_of(MUSIC).inputs, music_settings.inputs, page.keys.state, page.owner)
        places = (
            Place(SPEECH, "speak", speak.text, settings.inputs, settings_panel.controls),
            Place(MUSIC, "compose", compose.prompt, music_settings.inputs, compose_settings.controls),
        )
        lessons.wire(page.demo, AudioLessons(engine, page, *places))
        sounds.wire(page.picker_of(SOUND).inputs, sound_settings.inputs, page.keys.state, page.owner)
        jobs.wire(page.demo, working, page.keys.state)
        page.demo.load(partial(warm, engine, SPEECH), None, None, **PRIVATE)
        composing.select(partial(warm, engine, MUSIC), None, None, **PRIVATE)
        placing.wire(speak.sound, compose.playing.sound, sounds.sound)
        for compared in (compare, compose.comparing, sounds.comparing):
            compared.opinions.show_at(page.demo)
        page.share(speak, speak.sound, made_by_file)
        page.share(compose, compose.playing.kept, composed, MUSIC, "compose")
        page.share(sounds, sounds.sound, made_by_file, SOUND, "sounds")
        endpoints(engine)
    return page.demo


demo = build(Engine(load_catalog(), from_environment()))

if __name__ == "__main__":
    serve(demo)
