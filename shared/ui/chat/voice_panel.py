"""Reads the last answer aloud, by the engines of the audio Space: any voice that can speak here."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from shared.audio.finishing import finish
from shared.audio.spoken import Spoken, heard, speeches
from shared.chat.aloud import aloud
from shared.chat.conversation import Conversation
from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.requests import SpeechRequest
from shared.ui import receipt_view
from shared.ui.audio import player
from shared.ui.audio.files import keep
from shared.ui.audio.hearing import Hearing
from shared.ui.audio.made_sound import made_sound
from shared.ui.audio.ways import read_way, ways_here
from shared.ui.running import stopper
from shared.ui.sessions import Runs, with_keys

_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class VoicePanel:
    """A button, the choice of a voice, and the player; not to be seen where nothing can speak."""

    def __init__(self, engine: Engine) -> None:
        # Switches of its own: stopping the voice stops no answer.
        self._engine, self._runs, self._hearing = engine, Runs(), Hearing()
        ways = ways_here(engine)
        self._run_name = gr.Textbox(visible=False)
        with gr.Row(visible=bool(ways), equal_height=True, elem_id="voice-row"):
            self.speak = gr.Button("Read the answer aloud", size="sm", min_width=160, scale=1, elem_id="read-aloud")
            self.stop = gr.Button(
                "Stop reading", size="sm", visible=False, min_width=160, scale=1, elem_id="stop-aloud"
            )
            self.way = gr.Dropdown(
                ways,
                value=ways[0][1] if ways else None,
                label="Voice",
                show_label=False,
                container=False,
                min_width=160,
                scale=2,
                elem_id="aloud-voice",
            )
        player.build(self._hearing, "aloud-player", small=True)
        self.line = gr.HTML("", elem_id="aloud-line")
        self.sound = made_sound(label="The answer, to hear again", name="aloud-sound")

    def wire(self, conversation: gr.State, keys: Any) -> None:
        """Connect the events."""
        inputs = [self._run_name, conversation, self.way, keys]
        outputs = [self.line, self.sound, self.speak, self.stop]
        self.speak.click(self._read, inputs, outputs, js=player.BEGIN, concurrency_limit=None, **_PRIVATE)
        self.stop.click(stopper(self._runs), None, None, js=player.STOP, queue=False, **_PRIVATE)

    def _read(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        run: str,
        conversation: Conversation,
        way: str,
        keys: Any,
    ) -> Iterator[list[Any]]:
        with self._hearing.open(run) as hear:
            try:
                chosen = read_way(way)
                asked = SpeechRequest(text=aloud(_last_answer(conversation)), voice=chosen.voice)
                settings = with_keys(self._engine.settings, keys)
                with self._runs.running(request.session_hash or "local") as (cancel,):
                    events = self._engine.generate(
                        chosen.model, asked, variant=chosen.variant, settings=settings, cancel=cancel
                    )
                    for spoken in speeches(heard(events, hear)):
                        yield _screen(spoken, asked)
            except InferenceError as error:
                yield _screen(Spoken(error=error), None)


def _last_answer(conversation: Conversation) -> str:
    """Raises `InvalidRequest` where there is none."""
    said = [node.text for node in conversation.path() if node.role == "assistant" and node.text]
    if not said:
        raise InvalidRequest("There is no answer to read aloud yet. Ask something first.")
    return said[-1]


def _screen(spoken: Spoken, asked: SpeechRequest | None) -> list[Any]:
    told = f'<div class="pg-note pg-error" role="alert">{escape(str(spoken.error))}</div>' if spoken.error else ""
    receipt, sound = spoken.receipt, gr.update(visible=False)
    if receipt is not None and asked is not None and spoken.sound is not None and spoken.sound.pcm:
        finished = finish(spoken.sound, receipt, asked, "wav")
        receipt, sound = finished.receipt, gr.update(value=keep(finished, asked)[0], visible=True)
    line = receipt_view.metrics(receipt, spoken.status) if receipt or spoken.status else ""
    return [line + told, sound, gr.update(visible=spoken.done), gr.update(visible=not spoken.done)]
