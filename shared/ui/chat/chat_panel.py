"""The Chat tab: the conversation, the message box, and what happens between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from shared.chat import attachments
from shared.chat.answer import Answer
from shared.chat.conversation import Conversation
from shared.chat.turn import take_turn
from shared.engine import Engine
from shared.errors import ContextOverflow, InferenceError, InvalidRequest
from shared.ui import receipt_view
from shared.ui.chat.display import changed, owner, read_receipt, show
from shared.ui.chat.settings_panel import NAMES, to_request
from shared.ui.model_picker import Picked
from shared.ui.sessions import Runs, with_keys

WELCOME = "### Ask anything\nThe starter model runs on this machine: no key, no GPU, no network."
EXAMPLES = [
    {"text": "Write a haiku about the sea."},
    {"text": "Explain photosynthesis to a ten-year-old."},
    {"text": "Give me three names for a bakery."},
    {"text": "Write a Python function that reverses a string."},
]
FILES = ["image", ".txt", ".md", ".csv", ".json", ".py", ".js", ".html", ".xml", ".yaml", ".toml", ".log"]
LATEX = [
    {"left": left, "right": right, "display": display}
    for left, right, display in [("$$", "$$", True), (r"\[", r"\]", True), (r"\(", r"\)", False), ("$", "$", False)]
]
ALTERNATIVES = 5  # a token, in the Look inside tab
READY: dict[str, Any] = {"submit_btn": True, "stop_btn": False}
BUSY: dict[str, Any] = {"submit_btn": False, "stop_btn": True}


class ChatPanel:
    """The tab's components; `wire` connects them once the controls beside them exist."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        # Not a function: Gradio would make it a public endpoint. Each page that opens gets a conversation of its own.
        self.conversation = gr.State(Conversation())
        self.prefill = gr.State("")  # how the next answer is to begin
        self.todo = gr.State([])  # turns of a lesson still to be sent
        self.chatbot = gr.Chatbot(
            show_label=False,
            label="Conversation",
            elem_id="chat",
            height="max(340px, calc(100dvh - 430px))",
            placeholder=WELCOME,
            examples=EXAMPLES,  # type: ignore[arg-type]
            editable="user",
            latex_delimiters=LATEX,  # type: ignore[arg-type]
            buttons=["copy", "copy_all"],
            layout="bubble",
        )
        with gr.Row(elem_classes="pg-versions", visible=False) as self.versions:
            self.older = gr.Button("‹", size="sm", elem_id="older", min_width=36)
            self.version = gr.HTML("", elem_id="version")
            self.newer = gr.Button("›", size="sm", elem_id="newer", min_width=36)
        self.metrics = gr.HTML(receipt_view.metrics(None), elem_id="metrics")
        self.trim = gr.Button(
            "Leave out the oldest messages and send", visible=False, variant="secondary", elem_id="trim"
        )
        self.box = gr.MultimodalTextbox(
            show_label=False,
            label="Message",
            placeholder="Write a message",
            file_types=FILES,
            file_count="multiple",
            autofocus=True,
            elem_id="box",
            max_plain_text_length=200_000,
            **READY,
        )

    @property
    def outputs(self) -> list[Any]:
        """What an answer changes, in the order that `_screen` gives it."""
        shown = [self.chatbot, self.conversation, self.todo, self.box, self.metrics, self.trim]
        return [*shown, self.versions, self.version]

    def wire(self, picker: list[Any], settings: list[Any], keys: Any, saved: Callable[[Any], Any]) -> None:
        """Connect the events. `saved(event)` chains what keeps the history after an event."""
        inputs = [self.conversation, self.todo, keys, *picker, *settings]
        # What is quick goes past the queue: Gradio's page loses an event that is sent just as the stream of the one
        # before it closes. What may raise can't: past the queue the page shows no words for an error.
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        raising = {**private, "queue": True}
        answering = {**raising, "concurrency_limit": None}

        def then_answer(event: Any, fn: Callable[..., Any] = self.answer) -> None:
            saved(saved(event).success(fn, inputs, self.outputs, **answering))

        taken = [self.conversation, self.box, self.chatbot, self.todo]
        then_answer(self.box.submit(self.take, [self.box, self.conversation], taken, **raising))
        then_answer(self.chatbot.example_select(self.example, self.conversation, taken, **raising))
        then_answer(self.chatbot.retry(self.again, self.conversation, [self.conversation, self.chatbot], **raising))
        then_answer(self.chatbot.edit(self.edited, self.conversation, [self.conversation, self.chatbot], **raising))
        then_answer(self.trim.click(lambda: None, **private), self.answer_trimmed)
        self.box.stop(self.stop, None, None, **private)
        turned = [self.conversation, self.chatbot, self.versions, self.version]
        saved(self.older.click(lambda c: self.turn_page(c, -1), self.conversation, turned, **private))
        saved(self.newer.click(lambda c: self.turn_page(c, 1), self.conversation, turned, **private))

    # Before an answer: what the person said, put into the conversation.

    def take(self, box: dict[str, Any], conversation: Conversation) -> tuple[Any, ...]:
        """Put the message into the conversation. Raises `gr.Error`, with the box left as it is."""
        text = (box.get("text") or "").strip()
        try:
            attached = attachments.read(box.get("files") or [])
            if not text and not attached.text and not attached.images:
                raise InvalidRequest("Write a message first.")
            limit = self._engine.settings.max_prompt_chars
            if len(text) + len(attached.text) > limit:
                raise InvalidRequest(f"The message is over {limit:,} characters. Shorten it, or send parts of it.")
        except InferenceError as error:
            raise gr.Error(str(error), title="Not sent", print_exception=False) from None
        conversation.add("user", attached.text + text, images=attached.images)
        return conversation, {"text": "", "files": []}, show(conversation).messages, []

    def example(self, conversation: Conversation, chosen: gr.SelectData) -> tuple[Any, ...]:
        """Send an example."""
        return self.take({"text": chosen.value["text"]}, conversation)

    def again(self, conversation: Conversation, where: gr.RetryData) -> tuple[Any, Any]:
        """Ask the same once more: the new answer becomes another version."""
        node = owner(conversation, where.index)
        while node is not None and node.role != "user":
            node = conversation.nodes[node.parent] if node.parent else None
        if node is None:
            raise gr.Error("There is no message to answer again.", print_exception=False)
        conversation.tip = node.id
        return conversation, show(conversation).messages

    def edited(self, conversation: Conversation, change: gr.EditData) -> tuple[Any, Any]:
        """Begin a branch with the changed message; the old one stays as another version."""
        node = owner(conversation, change.index)
        text = changed(node, str(change.value)) if node else ""
        if node is None or node.role != "user" or not (text or node.images):
            raise gr.Error("Write something in the message, then save it.", print_exception=False)
        conversation.add("user", text, node.parent, images=node.images)
        return conversation, show(conversation).messages

    # The answer.

    def answer_trimmed(self, request: gr.Request, conversation: Conversation, *inputs: Any) -> Iterator[list[Any]]:
        """Answer with as many of the oldest messages left out as needed."""
        path = conversation.path()
        if path and path[-1].role == "assistant" and path[-1].error:
            conversation.tip = path[-1].parent
        yield from self.answer(request, conversation, *inputs, overflow="trim")

    def answer_openly(
        self, request: gr.Request, prefill: str, conversation: Conversation, *inputs: Any
    ) -> Iterator[list[Any]]:
        """Answer with each token's alternatives, beginning with `prefill` where it is given."""
        more: dict[str, Any] = {"prefill": prefill} if prefill else {}
        yield from self.answer(request, conversation, *inputs, top_logprobs=ALTERNATIVES, **more)

    def answer(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        conversation: Conversation,
        todo: list[str],
        keys: Any,
        model: str,
        mode: str,
        variant: str | None,
        *values: Any,
        **more: Any,
    ) -> Iterator[list[Any]]:
        """Answer the last message, then send what a lesson still has to say, and answer that."""
        picked = Picked(model, mode, variant)
        # A switch for each turn, since a run that has ended leaves its own pressed; Stop presses them all.
        with self._runs.running(request.session_hash or "local", 1 + len(todo)) as cancels:
            for turn, cancel in enumerate(cancels):
                if cancel.cancelled:
                    return
                if turn:
                    conversation.add("user", todo.pop(0))
                last = Answer()
                for last in self._turn(conversation, keys, picked, values, cancel, more):
                    yield self._screen(conversation, todo, last)
                if last.error:
                    return

    def _turn(
        self, conversation: Conversation, keys: Any, picked: Picked, values: Any, cancel: Any, more: dict[str, Any]
    ) -> Iterator[Answer]:
        try:
            options = {**to_request(values[: len(NAMES)]), **more}
        except InvalidRequest as error:
            yield Answer(error=error)
            return
        yield from take_turn(
            self._engine,
            conversation,
            model=picked.model or "",
            mode=picked.mode,
            variant=picked.variant,
            settings=with_keys(self._engine.settings, keys),
            options=options,
            cancel=cancel,
        )

    def _screen(self, conversation: Conversation, todo: list[str], answer: Answer) -> list[Any]:
        growing = None if answer.done else answer
        status = answer.status or "Writing" if growing else ""
        goes_on = todo and not answer.error and answer.finish_reason != "stopped"
        state = BUSY if growing or goes_on else READY
        older = sum(node.role == "user" for node in conversation.path()) > 1  # else there is nothing to leave out
        too_long = isinstance(answer.error, ContextOverflow) and older
        shown = [show(conversation, growing).messages, conversation, todo, gr.update(**state)]
        return [
            *shown,
            receipt_view.metrics(answer.receipt, status),
            gr.update(visible=too_long),
            *version_row(conversation, hidden=growing is not None),
        ]

    def stop(self, request: gr.Request) -> None:
        """Stop this visitor's runs; each then ends with what it has, and its receipt."""
        self._runs.stop(request.session_hash or "local")

    # The branches.

    def turn_page(self, conversation: Conversation, by: int) -> list[Any]:
        """Show the next or the previous version."""
        conversation.step(by)
        return [conversation, show(conversation).messages, *version_row(conversation)]

    def opened(self, conversation: Conversation) -> list[Any]:
        """The screen with another conversation on it."""
        receipts = [r for node in conversation.path() if (r := read_receipt(node))]
        line = receipt_view.metrics(receipts[-1] if receipts else None)
        shown = [show(conversation).messages, conversation, [], gr.update(**READY), line]
        return [*shown, gr.update(visible=False), *version_row(conversation)]


def version_row(conversation: Conversation, hidden: bool = False) -> list[Any]:
    """Whether there are other versions to turn to, and the words "Answer 2 of 3"."""
    node = None if hidden else conversation.branching()
    if node is None:
        return [gr.update(visible=False), ""]
    versions = conversation.siblings(node)
    at, of = versions.index(node) + 1, len(versions)
    words = f"Message {at} of {of}" if node.role == "user" else f"Answer {at} of {of}"
    return [gr.update(visible=True), f'<span class="pg-quiet">{words}</span>']
