"""A loaded hibari voice: text to phonemes to a spectrum to samples, a sentence at a time."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared.audio import voices
from shared.audio.script import Utterance, utterances
from shared.audio.speaking import Speaking
from shared.backends.base import Capabilities, Outcome
from shared.errors import InvalidRequest
from shared.requests import Request, SpeechRequest
from shared.streaming import Emit

MOST = 300  # characters at one go: some twenty seconds, for which it takes a tenth of a second and 50 MB
_MOST_PHONEMES = 400  # what it was trained on
_SPEEDS = 0.5, 2.0
_LONG_NUMBER = re.compile(r"\d[\d,]{14,}")
_SOUNDED = re.compile(r"[^\W\d_]")


class HibariModel:
    """Speaks for any number of people at once, as many sentences at a time as there are cores."""

    concurrency = 0

    def __init__(self, engine: Any, listed: str, capabilities: Capabilities, facts: Mapping[str, Any]) -> None:
        self._engine, self._listed = engine, listed
        self.capabilities, self.facts = capabilities, facts
        self._turns = threading.BoundedSemaphore(os.cpu_count() or 1)
        engine.g2p.oov("warm")  # loads the dictionaries, and the network for words that are in none

    def count_tokens(self, request: Request) -> int | None:
        """None: it has no tokens."""
        return None

    def close(self) -> None:
        """Let the network go."""
        self._engine = None

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Speak. Raises `InvalidRequest` for a speed or a voice it hasn't, and for a text without a word of English."""
        assert isinstance(request, SpeechRequest)
        speed = request.speed or 1.0
        if not _SPEEDS[0] <= speed <= _SPEEDS[1]:
            raise InvalidRequest(f"This voice speaks at a speed of {_SPEEDS[0]} to {_SPEEDS[1]}; change the speed.")
        said = utterances(request, MOST)
        pitches = {u.voice: float(voices.row(self._listed, u.voice).get("pitch", 1.0)) for u in said}
        speaking = Speaking(emit, self._engine.sample_rate, len(said), speed)
        silent = 0
        for number, utterance in enumerate(said):
            emit.check()
            spoken = list(self._phonemes(utterance))
            silent += not spoken
            self._say(speaking, utterance, spoken, speed, pitches[utterance.voice], (request.seed or 0, number))
        return _outcome(speaking, silent, len(said))

    def _phonemes(self, utterance: Utterance) -> Iterator[str]:
        """What is said, in pieces that the network can take; none where there is no letter to say."""
        phonemes = _read(self._engine.g2p, utterance.text)
        if not _SOUNDED.search(phonemes):
            return
        piece = ""
        for word in phonemes.split(" "):
            if piece and len(piece) + len(word) >= _MOST_PHONEMES:
                yield piece
                piece = ""
            piece = f"{piece} {word}" if piece else word[: 4 * _MOST_PHONEMES]
        yield piece

    def _say(
        self, speaking: Speaking, utterance: Utterance, spoken: list[str], speed: float, pitch: float, seed: Any
    ) -> None:
        import numpy

        noise = numpy.random.default_rng(seed)
        speaking.begin(utterance)
        for phonemes in spoken:
            with self._turns:
                samples = self._samples(phonemes, speed, pitch, noise)
            speaking.add(samples)
        speaking.end()

    def _samples(self, phonemes: str, speed: float, pitch: float, noise: Any) -> Any:
        """As `Hibari.from_ids`, with the pitch of the voice's harmonics moved before they are made."""
        import numpy
        from hibari import dsp

        given = {
            "ids": numpy.asarray([self._engine.ids(phonemes)], numpy.int64),
            "speed": numpy.asarray([speed], numpy.float32),
        }
        *spectrum, heights = (out[0] for out in self._engine.sess.run(None, given))
        return dsp.synth(*spectrum, heights * pitch, noise)


def _read(g2p: Callable[[str], str], text: str) -> str:
    """The text in phonemes. Its reader stumbles over numbers of 37 digits and over some rare signs: a second reading,
    of plainer text, and then none, keeps that from ending all that is said."""
    for attempt in (text, _plainer(text)):
        with contextlib.suppress(ValueError, TypeError, IndexError, KeyError, AttributeError):
            return g2p(attempt)
    return ""


def _plainer(text: str) -> str:
    """Letters without their accents, signs as their plain likes, long numbers digit by digit, and nothing else."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _LONG_NUMBER.sub(lambda digits: " ".join(digits.group().replace(",", "")), plain)


def _outcome(speaking: Speaking, silent: int, of: int) -> Outcome:
    output = speaking.output()
    if not output.pcm:
        raise InvalidRequest("This voice finds no word to say in this text: it reads English. Change the text.")
    if not silent:
        return Outcome(output=output)
    left = f"{silent} of {of} parts hold nothing that this voice can say, and were left out."
    return Outcome(output=output, facts={"unhonoured": {"text": left}})
