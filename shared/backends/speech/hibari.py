"""A loaded hibari voice: text to phonemes to a spectrum to samples, a sentence at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from shared.audio import voices
from shared.audio.script import Utterance, utterances
from shared.audio.speaking import Speaking
from shared.backends.base import Capabilities, Outcome
from shared.backends.speech.phonemes import outcome, pieces, read
from shared.errors import InvalidRequest
from shared.requests import Request, SpeechRequest
from shared.streaming import Emit

MOST = 300  # characters at one go: some twenty seconds, for which it takes a tenth of a second and 50 MB
_MOST_PHONEMES = 400  # what it was trained on
_SPEEDS = 0.5, 2.0


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
            spoken = list(pieces(read(self._engine.g2p, utterance.text), _MOST_PHONEMES))
            silent += not spoken
            self._say(speaking, utterance, spoken, speed, pitches[utterance.voice], (request.seed or 0, number))
        return outcome(speaking, silent, len(said), "English")

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
