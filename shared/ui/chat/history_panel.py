"""The side panel: new chat, the chats kept in this browser, files of them, and lessons."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from shared.chat.conversation import Conversation
from shared.chat.export import to_json, to_markdown
from shared.lessons import Lesson, Part
from shared.tasks import Task
from shared.ui.chat.chat_panel import ChatPanel
from shared.ui.chat.display import show
from shared.ui.chat.restoring import chat_restore
from shared.ui.chat.settings_panel import NAMES
from shared.ui.languages.props import THEIRS
from shared.ui.lessons_panel import LessonsPanel
from shared.ui.sharing import ShareRow

KEPT = 30  # conversations
DOWNLOAD = "() => document.querySelector('#export-file').click()"
ROOM = 3_000_000  # characters in the browser's storage, which holds about five million


class HistoryPanel:
    """History lives in the browser's own storage; the server keeps none of it."""

    def __init__(self, panel: ChatPanel, lessons: list[Lesson]) -> None:
        self._panel = panel
        # The secret only guards against another page's reading by accident: the storage is the visitor's own.
        self.store = gr.BrowserState([], storage_key="genai-playgrounds-chats", secret="chats")
        self.new = gr.Button("New chat", variant="primary", elem_id="new-chat")
        self.chats = gr.Radio([], label="Chats in this browser", elem_id="chats", elem_classes=[THEIRS])
        with gr.Row():
            self.as_markdown = gr.Button("Save as Markdown", size="sm")
            self.as_json = gr.Button("Save as JSON", size="sm")
        # Gradio's download button hands out the file that it held before the click, so a hidden one is clicked
        # once the file is written.
        self.file = gr.DownloadButton("File", visible="hidden", elem_id="export-file")
        self.forget = gr.Button("Delete this chat", size="sm", elem_id="delete-chat")
        self.sharing = ShareRow("restore")
        self.restoring = chat_restore()
        self.lessons = LessonsPanel(Task.CHAT, lessons, see="What did it say?", unfolded=True, together=True)

    def saved(self, event: Any) -> Any:
        """Keep the conversation in the browser after `event`."""
        inputs, outputs = [self._panel.conversation, self.store], [self.store, self.chats]
        return event.then(keep, inputs, outputs, show_progress="hidden", api_visibility="private", queue=False)

    def wire(self, demo: gr.Blocks, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        panel = self._panel
        self.restoring.wire(panel.box, picker[0], settings)
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        queued = {**private, "queue": True}  # for what may raise, see `ChatPanel.wire`
        self.new.click(lambda: [*panel.opened(Conversation()), None], None, [*panel.outputs, self.chats], **private)
        self.chats.input(
            lambda chosen, store: panel.opened(_find(store, chosen)), [self.chats, self.store], panel.outputs, **private
        )
        opened = demo.load(
            lambda store: [*panel.opened(_find(store, None)), _choices(store)],
            self.store,
            [*panel.outputs, self.chats],
            **queued,
        )
        self.forget.click(
            lambda c, store: [*panel.opened(Conversation()), *_without(store, c.id)],
            [panel.conversation, self.store],
            [*panel.outputs, self.store, self.chats],
            **private,
        )
        for button, write, suffix in ((self.as_markdown, to_markdown, ".md"), (self.as_json, to_json, ".json")):
            written = button.click(_file(write, suffix), panel.conversation, self.file, **queued)
            written.success(None, None, None, js=DOWNLOAD, **private)
        cleared = [*panel.outputs, self.chats]
        panel.chatbot.clear(lambda: [*panel.opened(Conversation()), None], None, cleared, **private)
        inputs = [panel.conversation, panel.todo, keys, *picker, *settings]
        for reached in self.lessons.wire(demo, ChatLessons(panel, settings), after=opened):
            answered = self.saved(reached).success(
                self._answer, inputs, panel.outputs, concurrency_limit=None, **queued
            )
            self.saved(answered)

    def _answer(self, request: gr.Request, conversation: Conversation, *inputs: Any) -> Iterator[list[Any]]:
        """Answer what a lesson's step has said; one that only asks has said nothing."""
        path = conversation.path()
        if path and path[-1].role == "user":
            yield from self._panel.answer(request, conversation, *inputs)


class ChatLessons:
    """Where lessons are put: a new chat, whose first turn is said at once, the others after it."""

    def __init__(self, panel: ChatPanel, settings: list[Any]) -> None:
        self.inputs: list[Any] = []
        self.outputs = [panel.conversation, panel.chatbot, panel.todo, *settings]

    def put(self, lesson: Lesson, parts: Sequence[Part]) -> list[Any]:
        """The conversation, its messages, the turns that are still to be said, and the settings."""
        first, *others = parts
        conversation = Conversation(title=" · ".join(filter(None, (lesson.title, first.name * lesson.apart))))
        conversation.add("user", first.text)
        given = {"system": lesson.system or "", **first.settings}
        controls = [gr.update(value=given[name]) if name in given else gr.update() for name in NAMES]
        return [conversation, show(conversation).messages, [part.text for part in others], *controls]


def keep(conversation: Conversation, store: list[dict[str, Any]] | None) -> tuple[list[dict[str, Any]], Any]:
    """The store with this conversation first, within what a browser holds: pictures go first, then old chats."""
    if not conversation.nodes:
        return store or [], gr.update()
    others = [each for each in store or [] if each.get("id") != conversation.id]
    kept = [_without_pictures(conversation.to_dict()), *others][:KEPT]
    while len(kept) > 1 and sum(len(str(each)) for each in kept) > ROOM:
        kept.pop()
    return kept, gr.update(choices=_rows(kept), value=conversation.id)


def _without_pictures(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "messages": [{k: v for k, v in m.items() if k != "images"} for m in data["messages"]]}


def _rows(store: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(str(each.get("title", "Chat"))[:48], str(each.get("id"))) for each in store]


def _choices(store: list[dict[str, Any]] | None) -> Any:
    return gr.update(choices=_rows(store or []), value=store[0].get("id") if store else None)


def _find(store: list[dict[str, Any]] | None, chosen: str | None) -> Conversation:
    """The chosen conversation, or the newest; a new one where the store holds nothing that can be read."""
    for each in store or []:
        if chosen is None or each.get("id") == chosen:
            try:
                return Conversation.from_dict(each)
            except ValueError:
                continue
    return Conversation()


def _without(store: list[dict[str, Any]] | None, unwanted: str) -> tuple[list[dict[str, Any]], Any]:
    kept = [each for each in store or [] if each.get("id") != unwanted]
    return kept, gr.update(choices=_rows(kept), value=None)


def _file(write: Callable[[Conversation], str], suffix: str) -> Callable[[Conversation], str]:
    def make(conversation: Conversation) -> str:
        if not conversation.nodes:
            raise gr.Error("There is nothing to save yet.", print_exception=False)
        folder = Path(tempfile.mkdtemp(prefix="chat-"))
        name = "".join(c if c.isalnum() else "-" for c in conversation.title)[:40].strip("-") or "chat"
        path = folder / f"{name}{suffix}"
        path.write_text(write(conversation), encoding="utf-8")
        return str(path)

    return make
