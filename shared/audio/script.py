"""Reads a script: which speaker's voice says which part of a text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from shared.audio.sentences import parts
from shared.errors import InvalidRequest
from shared.requests import SpeechRequest

_LONGEST_NAME = 60  # characters
_LINE = re.compile(rf"^[ \t]*([^\n:：]{{1,{_LONGEST_NAME}}})[:：][ \t]*", re.MULTILINE)


@dataclass(frozen=True)
class Utterance:
    """What one voice says at one go. `pause`: seconds of silence after it. `voice` None: the engine's own."""

    text: str
    voice: str | None
    speaker: str
    pause: float


@dataclass(frozen=True)
class Turn:
    """What one speaker says until the next begins; without a script there is one, of nobody."""

    speaker: str
    voice: str | None
    text: str


def turns(request: SpeechRequest) -> list[Turn]:
    """The turns of the request's script. A line that names nobody known goes on with who spoke before."""
    voices = dict(request.speakers)
    found: list[Turn] = []
    speaker, begin = "", 0
    names = [(m, m.group(1).strip()) for m in _LINE.finditer(request.text) if m.group(1).strip() in voices]
    for match, name in [*names, (None, "")]:
        end = match.start() if match else len(request.text)
        if request.text[begin:end].strip():
            found.append(Turn(speaker, voices.get(speaker, request.voice), request.text[begin:end].strip()))
        if match:
            speaker, begin = name, match.end()
    return found


def utterances(request: SpeechRequest, most: int, *, packed: bool = False, first: int | None = None) -> list[Utterance]:
    """The text in the order it is spoken, each at most `most` characters; see `sentences.parts` for `packed`.

    `first`: characters of the first one at most, for an engine that is slow, so that it is heard sooner.
    Raises `InvalidRequest` where only names of speakers are there.
    """
    said = [
        Utterance(part.text, turn.voice, turn.speaker, part.pause)
        for turn in turns(request)
        for part in parts(turn.text, most, packed=packed)
    ]
    if not said:
        raise InvalidRequest("There is nothing to say after the speakers' names. Write what each says.")
    if first is not None:
        cut = parts(said[0].text, first)
        finer = [replace(said[0], text=part.text, pause=part.pause) for part in cut]
        said[:1] = [*finer[:-1], replace(finer[-1], pause=said[0].pause)]
    return [*said[:-1], Utterance(said[-1].text, said[-1].voice, said[-1].speaker, 0.0)]


def names_in(text: str) -> list[str]:
    """The names that lines of the text begin with, in the order they first speak."""
    return list(dict.fromkeys(match.group(1).strip() for match in _LINE.finditer(text)))
