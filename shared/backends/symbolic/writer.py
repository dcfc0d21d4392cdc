"""Writes a piece with the model, word by word: only words that make music, in bars and parts as the brief has them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from shared.backends.local.sampling import Choice, Floats, Sampler
from shared.music.brief import Brief
from shared.music.draft import Draft
from shared.music.language import END, MOST_BARS, MOST_PARTS, Vocabulary, header, steps
from shared.music.piece import Guess, Piece

# Words that say how a piece goes on; the model's belief in any of them counts for the one that the brief wants.
_STRUCTURE = ("bar:", "part:", END)


class Writer:
    """One piece being written. `model`: a causal language model of transformers over the vocabulary."""

    def __init__(self, model: Any, vocabulary: Vocabulary, brief: Brief, sampler: Sampler) -> None:
        self._vocabulary, self._brief, self._sampler = vocabulary, brief, sampler
        self._reader = _Reader(model, vocabulary.encode(header(brief.controls)))
        self._draft = Draft(brief.blank(), brief.base)
        self._structural = np.array([word.startswith(_STRUCTURE) for word in vocabulary.words])
        self._parts = list(brief.parts)
        self._begun = _begun(brief)  # bars that are given: is it a pick-up, and its words
        self._given: list[str] = []  # of these, what is still to come of the bar
        self._whole = False  # whether the bar that is open was given
        self._left = 0  # bars of the part that are still to come
        self.words = 0
        self.guesses: list[Guess] = []  # where the sampler tells alternatives

    @property
    def piece(self) -> Piece:
        """The whole bars so far."""
        return self._draft.so_far()

    def write(self) -> Iterator[int | None]:
        """A word at a time; yields the number of whole bars where a word ended one, else None."""
        while not self._draft.ended:
            before = self._draft.bars
            self._add(self._next())
            now = self._draft.bars
            yield now if now > before else None

    def _next(self) -> str:
        if self._given:
            return self._given.pop(0)
        steps, structure = self._draft.steps(), self._planned()
        if structure and (self._begun or self._whole):
            self._whole = False  # a given bar has all its notes: nothing may be put after them
            return structure[0 if self._begun and self._begun[0][0] else -1]
        if not steps and len(structure) == 1:
            return structure[0]
        logits = self._reader.logits()
        allowed = np.full_like(logits, -np.inf)
        for word in [*steps, *(w for w in structure if w == "pickup")]:
            allowed[self._vocabulary.ids[word]] = logits[self._vocabulary.ids[word]]
        for word in (w for w in structure if w != "pickup"):
            allowed[self._vocabulary.ids[word]] = np.logaddexp.reduce(logits[self._structural])
        chosen = self._sampler.choose(allowed)
        if (turn := self._draft.turn) and chosen.alternatives:
            self.guesses.append(self._guess(*turn, chosen))
        return self._vocabulary.words[chosen.id]

    def _guess(self, voice: int, start: int, chosen: Choice) -> Guess:
        likely = tuple((self._deed(i), math.exp(p)) for i, p in chosen.alternatives if p > -math.inf)
        return Guess(voice, start, self._deed(chosen.id), math.exp(chosen.logprob or 0.0), likely)

    def _deed(self, number: int) -> int | str:
        """A word of a step as a MIDI pitch where it is one."""
        word = self._vocabulary.words[number]
        return self._draft.base + int(word) if word[0] in "+-" else word

    def _planned(self) -> list[str]:
        """Of the words that may go on with the piece, those that keep to the brief."""
        possible = self._draft.structure()
        if not possible:
            return []
        if possible[0] == "pickup" or possible[0].startswith("bar:"):
            pickup = ["pickup"] if possible[0] == "pickup" else []
            return [*pickup, f"bar:{min(self._left - 1, MOST_BARS)}"]
        return [f"part:{min(len(self._parts) - 1, MOST_PARTS)}"] if self._parts else [END]

    def _add(self, word: str) -> None:
        self._draft.add(word)
        self._reader.read(self._vocabulary.ids[word])
        self.words += 1
        if word.startswith("part:"):
            self._left = self._parts.pop(0)
        elif word.startswith("bar:"):
            self._left -= 1
        if self._begun and (word == "pickup" or word.startswith("bar:")):
            self._given, self._whole = self._begun.pop(0)[1], True


def _begun(brief: Brief) -> list[tuple[bool, list[str]]]:
    tune = brief.beginning
    return [(bar.pickup, list(steps(tune, bar, brief.base))) for bar in tune.bars] if tune else []


class _Reader:
    """Keeps what the model has read. Where its memory is full, it reads the beginning and the latest half again."""

    def __init__(self, model: Any, head: list[int]) -> None:
        self._model, self._head, self._ids = model, head, list(head)
        self._most = int(model.config.max_position_embeddings)
        self._unread, self._cache = list(head), None

    def read(self, number: int) -> None:
        """Take in a word."""
        self._ids.append(number)
        self._unread.append(number)
        if len(self._ids) >= self._most:
            self._ids = [*self._head, *self._ids[-self._most // 2 :]]
            self._unread, self._cache = list(self._ids), None

    def logits(self) -> Floats:
        """Of the next word, shape (vocabulary,)."""
        import torch

        with torch.inference_mode():
            out = self._model(torch.tensor([self._unread]), past_key_values=self._cache, use_cache=True)
        self._unread, self._cache = [], out.past_key_values
        numbers: Floats = out.logits[0, -1].float().numpy()
        return numbers
