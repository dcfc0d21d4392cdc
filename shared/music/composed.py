"""A composition as it grows, and what is made of it to hear, see and keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shared.errors import BackendError
from shared.events import Event, Final, Notes, Piece
from shared.media.sound.labelling import KEYWORD
from shared.music.midi import midi
from shared.music.musicxml import musicxml
from shared.music.piece import Guess
from shared.music.piece import Piece as Music
from shared.music.soundfont import SoundFont
from shared.music.synth import play
from shared.outputs import AudioOutput
from shared.pacing import INTERVAL, SoFar, paced
from shared.settings import Settings
from shared.starter import locate_folder

STARTER = "text2music"
FONT, FONT_LICENCE = "sonivox.sf2", "Apache-2.0"


@dataclass(frozen=True, kw_only=True)
class Composition(SoFar):
    """A composition as far as it has come: `bar` bars of `total`. `instrument`: what it is meant for.

    `sound`: of an engine that makes sound and no notes, at its end. `guesses`: where they were asked for.
    """

    music: Music | None = None
    bar: int = 0
    total: int = 0
    instrument: str = "piano"
    sound: AudioOutput | None = None
    guesses: tuple[Guess, ...] = ()


def compositions(events: Iterator[Event], interval: float = INTERVAL) -> Iterator[Composition]:
    """The composition as it grows, by the rules of `paced`."""
    return paced(events, _Growing(), interval)


class _Growing:
    def __init__(self) -> None:
        self._last: Notes | None = None
        self._guesses: list[Guess] = []

    def add(self, event: Piece) -> None:
        if isinstance(event, Notes):
            self._last = event
            self._guesses += event.guesses

    def so_far(self) -> Composition:
        last = self._last
        if last is None:
            return Composition()
        return Composition(
            music=last.music,
            bar=last.bar,
            total=last.total,
            instrument=last.instrument,
            guesses=tuple(self._guesses),
        )

    def whole(self, final: Final) -> Composition:
        if isinstance(final.output, AudioOutput):
            return Composition(sound=final.output)
        music = final.output.piece
        bars = music.full_bars if music else 0
        return Composition(
            music=music,
            bar=bars,
            total=bars,
            instrument=final.output.instrument,
            guesses=final.output.guesses,
        )


def soundfont(settings: Settings) -> Path:
    """The SoundFont that lies beside the starter's weights. Raises `BackendError` where there is none."""
    file = locate_folder(STARTER, settings.weights_dir) / FONT
    if not file.is_file():
        raise BackendError(
            f"The soundfont {FONT} is not beside the music starter's weights. "
            f"Make it with: python training/{STARTER}/make.py --stage data --stage evaluation"
        )
    return file


def sound(music: Music, instrument: str, settings: Settings, check: Callable[[], object] = lambda: None) -> AudioOutput:
    """The music in stereo. Raises `BackendError` without a soundfont, `CorruptWeights` where it is broken.

    `check` is called before each note, and may end the playing by raising something.
    """
    file = soundfont(settings)
    return play(music, _font(file, file.stat().st_mtime_ns), instrument, check)


@lru_cache(maxsize=1)
def _font(file: Path, changed: int) -> SoundFont:
    return SoundFont(file)


def files(music: Music, instrument: str, label: str = "") -> dict[str, bytes]:
    """What other programs open, by the file's ending. Sound and scores are made apart: they take longer.

    `label`: what made it, as ASCII, which both hold.
    """
    fields = {KEYWORD: label} if label else {}
    return {"mid": midi(music, instrument, label), "musicxml": musicxml(music, instrument, fields=fields).encode()}
