"""The Look inside tab: how sure the model was of each token, and what it might have said instead."""

from __future__ import annotations

import math
from typing import Any

import gradio as gr

from shared.chat.conversation import Conversation, Node
from shared.events import Token
from shared.ui.chat.chat_panel import ChatPanel

# Probability from which a colour counts, surest first. Colours differ in lightness as well as in hue.
BANDS = [(0.9, "over 90%"), (0.6, "60 to 90%"), (0.3, "30 to 60%"), (0.1, "10 to 30%"), (0.0, "under 10%")]
COLOURS = dict(zip([name for _, name in BANDS], ["#2a9d8f", "#8ab17d", "#e9c46a", "#f4a261", "#e76f51"], strict=True))
EMPTY = (
    "Press the button: the last message is answered again, with each token's probability. "
    "Engines that don't give probabilities leave this empty."
)


class InsidePanel:
    """Shows the tokens of the conversation's last answer; a chosen alternative continues the answer from there."""

    def __init__(self, panel: ChatPanel) -> None:
        self._panel = panel
        self.again = gr.Button("Answer the last message again, with probabilities", variant="primary", elem_id="look")
        self.note = gr.HTML(f'<div class="pg-quiet">{EMPTY}</div>')
        self.tokens = gr.HighlightedText(
            [],
            label="The last answer, token by token: choose one",
            color_map=COLOURS,
            show_legend=True,
            show_inline_category=False,
            combine_adjacent=False,
            elem_id="tokens",
        )
        # The same choice for those who use no mouse: the tokens above can't be reached by keyboard.
        self.number = gr.Slider(1, 2, 1, step=1, label="Token number", visible=False, elem_id="token-number")
        self.place = gr.State(-1)
        self.others = gr.Radio([], label="At this place", visible=False, elem_id="others")
        self.go = gr.Button("Continue the answer from this choice", visible=False, elem_id="branch")

    def wire(self, inputs: list[Any], saved: Any) -> None:
        """Connect the events. `inputs` are those of `ChatPanel.answer`."""
        panel = self._panel
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        shown = [self.tokens, self.number, self.others, self.go]
        begin = [panel.conversation, panel.prefill]
        asked = self.again.click(_again, panel.conversation, begin, **private)
        chose = self.go.click(_continue, [panel.conversation, self.place, self.others], begin, **private)
        for event in (asked, chose):
            answered = event.success(
                panel.answer_openly, [panel.prefill, *inputs], panel.outputs, concurrency_limit=None, **private
            )
            saved(answered.then(_fresh, panel.conversation, shown, **private))
        chosen = [self.place, self.others, self.go]
        self.tokens.select(_pointed_at, panel.conversation, chosen, **private)
        self.number.release(
            lambda c, n: alternatives(c, int(n) - 1), [panel.conversation, self.number], chosen, **private
        )


def last_answer(conversation: Conversation) -> Node | None:
    """The shown branch's last answer."""
    return next((n for n in reversed(conversation.path()) if n.role == "assistant"), None)


def marked(conversation: Conversation) -> list[tuple[str, str]]:
    """The answer's tokens, each with the band its probability falls in."""
    node = last_answer(conversation)
    return [(token.text, band(token.logprob)) for token in (node.tokens if node else ())]


def band(logprob: float) -> str:
    """The band of a natural-logarithm probability."""
    return next(name for least, name in BANDS if math.exp(logprob) >= least)


def _closed() -> list[Any]:
    return [gr.update(visible=False, value=None), gr.update(visible=False)]


def _again(conversation: Conversation) -> tuple[Conversation, str]:
    node = last_answer(conversation)
    if node is not None:
        conversation.tip = node.parent
    if not conversation.path():
        raise gr.Error("Write a message in the Chat tab first.", print_exception=False)
    return conversation, ""


def _fresh(conversation: Conversation) -> list[Any]:
    tokens = marked(conversation)
    number = gr.update(maximum=max(len(tokens), 2), value=1, visible=bool(tokens))
    return [tokens, number, *_closed()]


def _pointed_at(conversation: Conversation, chosen: gr.SelectData) -> list[Any]:
    return alternatives(conversation, chosen.index if isinstance(chosen.index, int) else chosen.index[0])


def alternatives(conversation: Conversation, at: int) -> list[Any]:
    """The place, and the choices there; nothing where the answer has no such token."""
    node = last_answer(conversation)
    if node is None or not 0 <= at < len(node.tokens):
        return [-1, *_closed()]
    rows = [(label(a.text, a.logprob), a.text) for a in node.tokens[at].alternatives]
    title = f"Instead of “{node.tokens[at].text.strip() or '␣'}”"
    return [at, gr.update(choices=rows, value=None, visible=True, label=title), gr.update(visible=True)]


def label(text: str, logprob: float) -> str:
    """A token and its probability for a person; blanks are made visible."""
    visible = text.replace("\n", "⏎").replace(" ", "␣") or "(end)"
    return f"{visible}  {100 * math.exp(logprob):.1f}%"


def _continue(conversation: Conversation, place: int, chosen: str | None) -> tuple[Conversation, str]:
    node = last_answer(conversation)
    if node is None or chosen is None or not 0 <= place < len(node.tokens):
        raise gr.Error("Choose a token, then one of its alternatives.", print_exception=False)
    conversation.tip = node.parent
    return conversation, node.prefill + beginning(node.tokens, place) + chosen


def beginning(tokens: tuple[Token, ...], place: int) -> str:
    """The text of the tokens before that place."""
    return "".join(token.text for token in tokens[:place])
