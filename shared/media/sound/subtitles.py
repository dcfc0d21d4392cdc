"""Subtitles from words with their times: SubRip (SRT) and WebVTT (W3C, with the time of each word inside a cue)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from shared.events import Word

LINE = 42  # characters of a line: what European broadcasters hold to
LONGEST = 2 * LINE  # of a cue
GAP = 0.6  # seconds of silence that end a cue
LASTING = 6.0  # seconds of a cue at most
ESTIMATED = "Times are estimated from the length of the words; the engine gave none."
_ENDS = (".", "!", "?", "…", "。", "！", "？")


def srt(words: Sequence[Word]) -> str:
    """SubRip: a number, from when to when, up to two lines of text. SubRip has no place for a remark."""
    return "\n".join(f"{number}\n{_span(cue, ',')}\n{_lines(cue)}\n" for number, cue in enumerate(cues(words), 1))


def vtt(words: Sequence[Word]) -> str:
    """WebVTT. It says so in a note where the times are estimated."""
    note = f"NOTE {ESTIMATED}\n\n" if any(not word.exact for word in words) else ""
    return f"WEBVTT\n\n{note}" + "\n".join(f"{_span(cue, '.')}\n{_timed(cue)}\n" for cue in cues(words))


def cues(words: Sequence[Word]) -> list[list[Word]]:
    """The words as they are shown together: ended by a sentence, a pause, another speaker, or what fits."""
    found: list[list[Word]] = []
    for word in words:
        if not found or _breaks(found[-1], word):
            found.append([])
        found[-1].append(word)
    return found


def _breaks(cue: Sequence[Word], word: Word) -> bool:
    last = cue[-1]
    length = sum(len(each.text) + 1 for each in cue) + len(word.text)
    return (
        last.text.rstrip("\"'”’»)」").endswith(_ENDS)
        or word.start - last.end > GAP
        or word.speaker != last.speaker
        or length > LONGEST
        or word.end - cue[0].start > LASTING
    )


def _span(cue: Sequence[Word], point: str) -> str:
    return f"{_clock(cue[0].start, point)} --> {_clock(max(cue[-1].end, cue[0].start + 0.1), point)}"


def _clock(seconds: float, point: str) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3600000:02d}:{whole // 60000 % 60:02d}:{whole // 1000 % 60:02d}{point}{whole % 1000:03d}"


def _lines(cue: Sequence[Word]) -> str:
    named = f"{cue[0].speaker}: " if cue[0].speaker else ""
    lines = [named]
    for gap, text in _spaced(cue):
        if lines[-1] and len(lines[-1]) + len(gap) + len(text) > LINE and lines[-1] != named and len(lines) == 1:
            lines.append(text)
        else:
            lines[-1] += gap + text
    return "\n".join(line.replace("-->", "→") for line in lines)


def _timed(cue: Sequence[Word]) -> str:
    parts = [f"<v {escape(cue[0].speaker)}>"] if cue[0].speaker else []
    for number, ((gap, text), word) in enumerate(zip(_spaced(cue), cue, strict=True)):
        parts.append(gap + (f"<{_clock(word.start, '.')}>" if number else "") + escape(text, quote=False))
    return "".join(parts)


def _spaced(cue: Sequence[Word]) -> Iterator[tuple[str, str]]:
    """Each word with what stands before it: a space, or nothing between characters of Chinese or Japanese."""
    before = ""
    for word in cue:
        wide = before and ord(before[-1]) > 0x2E80 and ord(word.text[0]) > 0x2E80
        yield "" if not before or wide else " ", word.text
        before = word.text
