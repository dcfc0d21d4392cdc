"""A loaded hibari voice: text to phonemes to a spectrum to samples, a sentence at a time."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.ahead import ahead
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


@dataclass(frozen=True)
class _Part:
    """What the network made of a part of an utterance; None of one without a word. `ends`: the utterance's last."""

    utterance: Utterance
    number: int
    begins: bool
    ends: bool
    spectrum: Any = None
    heights: Any = None


class HibariModel:
    """Speaks for any number of people at once, as many sentences at a time as there are cores.

    While a part's samples are made of its spectrum, the next part is read and its spectrum made: either takes a core.
    """

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
        import numpy

        assert isinstance(request, SpeechRequest)
        speed = request.speed or 1.0
        if not _SPEEDS[0] <= speed <= _SPEEDS[1]:
            raise InvalidRequest(f"This voice speaks at a speed of {_SPEEDS[0]} to {_SPEEDS[1]}; change the speed.")
        said = utterances(request, MOST)
        pitches = {u.voice: float(voices.row(self._listed, u.voice).get("pitch", 1.0)) for u in said}
        speaking = Speaking(emit, self._engine.sample_rate, len(said), speed)
        silent, noise = 0, None
        with contextlib.closing(ahead(self._parts(said, speed))) as parts:
            for part in parts:
                emit.check()
                if part.begins:
                    noise = numpy.random.default_rng((request.seed or 0, part.number))
                    speaking.begin(part.utterance)
                if part.spectrum is None:
                    silent += 1
                else:
                    speaking.add(self._samples(part, pitches[part.utterance.voice], noise))
                if part.ends:
                    speaking.end()
        return outcome(speaking, silent, len(said), "English")

    def _parts(self, said: Sequence[Utterance], speed: float) -> Iterator[_Part]:
        """Each piece of each utterance, as the network sees it: `Hibari.from_ids` up to its spectrum."""
        for number, utterance in enumerate(said):
            spoken = list(pieces(read(self._engine.g2p, utterance.text), _MOST_PHONEMES))
            if not spoken:
                yield _Part(utterance, number, begins=True, ends=True)
            for place, phonemes in enumerate(spoken):
                ends = place == len(spoken) - 1
                yield _Part(utterance, number, place == 0, ends, *self._spectrum(phonemes, speed))

    def _spectrum(self, phonemes: str, speed: float) -> tuple[Any, Any]:
        """What the network makes of them: the harmonics and the noise by time, and the voice's pitch by time."""
        import numpy

        given = {
            "ids": numpy.asarray([self._engine.ids(phonemes)], numpy.int64),
            "speed": numpy.asarray([speed], numpy.float32),
        }
        with self._turns:
            *spectrum, heights = (out[0] for out in self._engine.sess.run(None, given))
        return spectrum, heights

    def _samples(self, part: _Part, pitch: float, noise: Any) -> Any:
        """The sound, with the pitch of the voice's harmonics moved before they are made."""
        from hibari import dsp

        with self._turns:
            return dsp.synth(*part.spectrum, part.heights * pitch, noise)
