"""Puts an answer together token by token and tells each to the person: text, thinking, log-probabilities."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from shared.backends.base import Outcome, Usage
from shared.backends.local.sampling import Choice
from shared.backends.local.text import Decoder, StopWatch
from shared.backends.local.thinking import ThinkingSplitter, is_mark
from shared.events import Alternative, Partial, Token
from shared.outputs import ChatOutput, FinishReason
from shared.requests import ChatRequest
from shared.streaming import Emit


class Vocabulary:
    """A tokenizer as answers need it: ids to text, one by one and together."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        special = set(tokenizer.all_special_ids)
        self.skipped = frozenset(i for i in special if not is_mark(tokenizer.convert_ids_to_tokens(i)))
        # SentencePiece drops the space of a text's first token: pieces are looked at behind another one.
        self._anchor = next(iter(tokenizer("a", add_special_tokens=False)["input_ids"]), None)
        self.piece: Callable[[int], str] = lru_cache(maxsize=8192)(self._piece)

    def decode(self, ids: list[int]) -> str:
        """The text of the ids, as it is: nothing tidied, nothing left out."""
        text: str = self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text

    def _piece(self, token: int) -> str:
        if self._anchor is None:
            return self.decode([token])
        return self.decode([self._anchor, token])[len(self.decode([self._anchor])) :]


class Answer:
    """One answer on its way. `prompt`: the ids it follows, of which a prefilled answer is the end."""

    def __init__(self, request: ChatRequest, vocabulary: Vocabulary, prompt: list[int], emit: Emit) -> None:
        self._vocabulary, self._emit, self._prompt_tokens = vocabulary, emit, len(prompt)
        prefilled = bool(request.prefill)
        self._decoder = Decoder(vocabulary.decode, vocabulary.skipped, prompt if prefilled else ())
        self._splitter = ThinkingSplitter("" if prefilled else vocabulary.decode(prompt[-8:]))
        self._stops = StopWatch(request.stop)
        self._text, self._thinking = [], []  # type: tuple[list[str], list[str]]
        self._tokens: list[Token] = []
        self._count = self._thought = 0

    def add(self, choice: Choice) -> bool:
        """Take a token; True once a stop string has ended the answer. Raises `Cancelled`."""
        self._count += 1
        self._thought += self._splitter.thinking
        token = (self._token(choice),) if choice.logprob is not None else ()
        self._tell(*self._splitter.add(self._decoder.add(choice.id)), token)
        return self._stops.stopped

    def finish(self, reason: FinishReason) -> Outcome:
        """The whole answer, when the model has ended or reached the limit."""
        thinking, text = self._splitter.add(self._decoder.flush())
        more_thinking, more_text = self._splitter.flush()
        text = self._stops.add(text + more_text) + self._stops.flush()
        self._show(text, thinking + more_thinking, ())
        output = ChatOutput(
            text="".join(self._text),
            thinking="".join(self._thinking),
            finish_reason="stop" if self._stops.stopped else reason,
            tokens=tuple(self._tokens),
        )
        thought = self._thought or None
        return Outcome(
            output=output,
            usage=Usage(input_tokens=self._prompt_tokens, output_tokens=self._count, reasoning_tokens=thought),
        )

    def _tell(self, thinking: str, text: str, tokens: tuple[Token, ...]) -> None:
        """One `Partial` a token, even where it completes no character: that is what a token count counts."""
        self._show(self._stops.add(text), thinking, tokens, always=True)

    def _show(self, text: str, thinking: str, tokens: tuple[Token, ...], always: bool = False) -> None:
        self._text.append(text)
        self._thinking.append(thinking)
        self._tokens.extend(tokens)
        if always or text or thinking:
            self._emit(Partial(text, thinking, tokens))

    def _token(self, choice: Choice) -> Token:
        piece = self._vocabulary.piece
        others = tuple(Alternative(piece(i), logprob) for i, logprob in choice.alternatives)
        assert choice.logprob is not None
        return Token(piece(choice.id), choice.logprob, others)
