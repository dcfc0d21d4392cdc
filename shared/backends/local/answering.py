"""Takes a run's tokens one by one, and emits what each adds to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backends.local.decoding import StopFilter, TextStream
from shared.backends.local.prompt import Prompt
from shared.backends.local.thinking import Marks, ThinkSplitter
from shared.events import Alternative, Partial, Token
from shared.outputs import ChatOutput, FinishReason
from shared.requests import ChatRequest

if TYPE_CHECKING:
    from torch import Tensor

    from shared.streaming import Emit


class Answer:
    """One run's answer as it grows. One `Partial` a token; it may be empty in the middle of a character or mark."""

    def __init__(
        self, tokenizer: Any, ends: frozenset[int], marks: Marks, prompt: Prompt, request: ChatRequest, emit: Emit
    ) -> None:
        self._tokenizer, self._ends, self._emit = tokenizer, ends, emit
        # gpt-oss marks its thinking with special tokens, which must then be seen; the end token never is.
        self._hide_special = not marks.opens.startswith("<|")
        self._stream = TextStream(self._decode, prompt.tail)
        self._splitter = ThinkSplitter(marks, inside=prompt.inside_thinking)
        self._filter = StopFilter((*request.stop, *prompt.stop))
        self._top = request.top_logprobs or 0
        self._anchor: tuple[int, str] | None = None
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._tokens: list[Token] = []
        self.count = 0
        self.ended = False

    def take(self, token: int, logits: Tensor) -> None:
        """The next token and the logits (vocabulary,) it was chosen by. Raises `Cancelled` once stopped."""
        self._emit.check()
        if token in self._ends:
            self.ended = True
            return
        self.count += 1
        text, thinking = self._splitter.push(self._stream.push(token))
        tokens = (self._token(token, logits),) if self._top else ()
        self._add(Partial(self._filter.push(text), thinking, tokens))

    @property
    def stopped(self) -> bool:
        """Whether a stop text ended it."""
        return self._filter.stopped

    def output(self) -> ChatOutput:
        """The whole, once the last token is in; emits what was kept back."""
        text, thinking = self._splitter.push(self._stream.rest())
        last = self._splitter.rest()
        text = self._filter.push(text + last[0]) + self._filter.rest()
        if text or thinking or last[1]:
            self._add(Partial(text, thinking + last[1]))
        reason: FinishReason = "stop" if self.ended or self.stopped else "length"
        return ChatOutput(
            text="".join(self._text),
            thinking="".join(self._thinking),
            finish_reason=reason,
            tokens=tuple(self._tokens),
        )

    def _add(self, part: Partial) -> None:
        self._text.append(part.text)
        self._thinking.append(part.thinking)
        self._tokens.extend(part.tokens)
        self._emit(part)

    def _decode(self, ids: list[int]) -> str:
        return str(
            self._tokenizer.decode(ids, skip_special_tokens=self._hide_special, clean_up_tokenization_spaces=False)
        )

    def _token(self, token: int, logits: Tensor) -> Token:
        logprobs = logits.log_softmax(0)
        values, ids = logprobs.topk(min(self._top, len(logprobs)))
        pairs = zip(ids.tolist(), values.tolist(), strict=True)
        others = tuple(Alternative(self._piece(i), value) for i, value in pairs)
        return Token(self._piece(token), float(logprobs[token]), others)

    def _piece(self, token: int) -> str:
        """The token's text with the space before it, which some tokenizers drop where nothing goes before."""
        if self._anchor is None:
            ids = self._tokenizer.encode("a", add_special_tokens=False)[-1:]
            self._anchor = (ids[0], self._raw(ids)) if ids else (token, "")
        anchor, text = self._anchor
        return self._raw([anchor, token])[len(text) :] if text else self._raw([token])

    def _raw(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))
