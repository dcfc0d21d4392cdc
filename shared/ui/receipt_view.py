"""Shows a receipt: in one line above the box, and as a table below an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from shared.backends import BACKENDS
from shared.receipts import Receipt
from shared.tasks import Mode, Task


def engine_name(receipt: Receipt) -> str:
    """The engine and how the model was held, for example `llama.cpp Q4_1`."""
    how = receipt.quantization or receipt.dtype
    return BACKENDS[receipt.backend].label + (f" {how}" if how else "")


def plain(text: str) -> str:
    """Text for a place that takes HTML."""
    return escape(text)


def memory_text(receipt: Receipt) -> str:
    """Memory for a person: `0.42 GB`, or where the memory is."""
    if receipt.memory_gb is None:
        return "at the provider" if receipt.mode == Mode.HOSTED else "not measured"
    return f"{receipt.memory_gb:.2f} GB"


def cost_text(receipt: Receipt) -> str:
    """Cost for a person; a cost nobody named is never shown as 0."""
    if receipt.cost_usd is not None:
        return f"${receipt.cost_usd:.6f}".rstrip("0") if receipt.cost_usd < 0.01 else f"${receipt.cost_usd:.4f}"
    return "unpriced" if receipt.mode == Mode.HOSTED else "no charge"


def metrics(receipt: Receipt | None, status: str = "") -> str:
    """The line above the message box, as HTML: what runs now, or what the last run took."""
    if receipt is None:
        return f'<div class="pg-metrics" role="status"><span class="pg-quiet">{escape(status)}</span></div>'
    speed = _SPEEDS.get(Task(receipt.task), _of_picture)(receipt)
    costs = [("Memory", memory_text(receipt)), ("Cost", cost_text(receipt))]
    parts = [("Engine", engine_name(receipt)), *speed, *costs]
    cells = "".join(f'<span class="pg-m"><span>{n}</span><b>{escape(v)}</b></span>' for n, v in parts)
    return f'<div class="pg-metrics" role="status">{cells}</div>'


def _of_text(receipt: Receipt) -> list[tuple[str, str]]:
    first = receipt.seconds.first_output
    rate = f"{receipt.tokens_per_second:.1f}" if receipt.tokens_per_second else "–"
    return [("Tokens/s", rate), ("First token", "–" if first is None else f"{first:.2f} s")]


def _of_picture(receipt: Receipt) -> list[tuple[str, str]]:
    seconds = receipt.seconds
    drawing = seconds.total - seconds.load - seconds.queue
    loading = seconds.load >= 0.05
    parts = [("Time", f"{drawing:.1f} s + {seconds.load:.1f} s loading" if loading else f"{drawing:.1f} s")]
    for name, label in (("steps_per_second", "Steps/s"), ("frames_per_second", "Frames/s")):
        if rate := receipt.extra.get(name):
            parts.append((label, f"{rate:.2g}"))
    if receipt.seed is not None:
        parts.append(("Seed", str(receipt.seed)))
    return parts


def _of_sound(receipt: Receipt) -> list[tuple[str, str]]:
    first, factor = receipt.seconds.first_output, receipt.realtime_factor
    parts = [("Sound", f"{receipt.audio_seconds or 0:.1f} s")]
    if factor:
        parts.append(("Speed", f"{1 / factor:.1f}x real time" if factor > 0.1 else f"{1 / factor:.0f}x real time"))
    parts.append(("First sound", "–" if first is None else f"{first:.2f} s"))
    if (loud := receipt.extra.get("loudness_lufs")) is not None:
        parts.append(("Loudness", f"{loud:.1f} LUFS"))
    if pace := receipt.extra.get("words_per_minute"):
        parts.append(("Pace", f"{pace} words/min"))
    if (wrong := receipt.extra.get("word_error_rate")) is not None:
        parts.append(("Word errors", f"{wrong:.1%}"))
    if (rated := receipt.extra.get("dnsmos_overall")) is not None:
        parts.append(("DNSMOS", f"{rated:.2f} of 5"))
    return parts


def _of_music(receipt: Receipt) -> list[tuple[str, str]]:
    """Of an engine that writes notes; one that makes sound is told as sound."""
    if receipt.audio_seconds is not None:
        return _of_sound(receipt)
    first, seconds = receipt.seconds.first_output, receipt.seconds
    parts = [
        ("Written in", f"{seconds.total - seconds.load - seconds.queue:.1f} s"),
        ("First bar", "–" if first is None else f"{first:.2f} s"),
    ]
    if receipt.seed is not None:
        parts.append(("Seed", str(receipt.seed)))
    return parts


def _of_solid(receipt: Receipt) -> list[tuple[str, str]]:
    extra, parts = receipt.extra, _of_picture(receipt)
    if (count := extra.get("triangles")) is not None:
        parts.append(("Triangles", f"{count:,}"))
    if (closed := extra.get("watertight")) is not None:
        parts.append(("Closed", "yes" if closed else "no"))
    if (volume := extra.get("volume_cm3")) is not None:
        parts.append(("Volume", f"{volume:.1f} cm³"))
    if (share := extra.get("outline_agreement")) is not None:
        parts.append(("Outline", f"{share:.1%}"))
    return parts


_SPEEDS: dict[Task, Callable[[Receipt], list[tuple[str, str]]]] = {
    Task.CHAT: _of_text,
    Task.TEXT_TO_SPEECH: _of_sound,
    Task.TEXT_TO_AUDIO: _of_music,
    Task.TEXT_TO_SOUND: _of_music,
    Task.TEXT_TO_3D: _of_solid,
}
_FIRST = {Task.CHAT: "first token", Task.TEXT_TO_SPEECH: "first sound", Task.TEXT_TO_AUDIO: "first bar"}


def title(receipt: Receipt) -> str:
    """The folded receipt's headline."""
    starter = "small starter model" if receipt.starter else Mode(receipt.mode).label.lower()
    rate = f" · {receipt.tokens_per_second:.0f} tokens/s" if receipt.tokens_per_second else ""
    name = receipt.name.replace(" (starter)", "")
    return f"Receipt: {name} · {engine_name(receipt)} · {starter}{rate}"


def table(receipt: Receipt) -> str:
    """The whole receipt as a Markdown table."""
    lines = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows(receipt))
    return f"| | |\n|---|---|\n{lines}"


def rows(receipt: Receipt) -> list[tuple[str, str]]:
    """What the whole receipt says: names and words, plain."""
    return [(name, value) for name, value in _rows(receipt) if value]


def _cell(text: str) -> str:
    return escape(text).replace("|", "\\|").replace("\n", " ")


def _rows(receipt: Receipt) -> Iterator[tuple[str, str]]:
    yield "Model", receipt.name
    yield "Source", " @ ".join(p for p in (receipt.repo_id, receipt.filename or receipt.revision) if p)
    yield "Served as", str(receipt.extra.get("served_model", ""))
    yield "Engine", f"{engine_name(receipt)}, {Mode(receipt.mode).label.lower()}"
    yield "Device", receipt.device or ""
    yield "Versions", ", ".join(f"{name} {version}" for name, version in receipt.versions.items())
    yield "Seed", _seed(receipt)
    yield "Settings", ", ".join(f"{name} {_setting(value)}" for name, value in receipt.settings.items())
    for name, reason in receipt.unhonoured.items():
        yield f"Not followed: {name}", reason
    for note in receipt.notes:
        yield "Note", note
    yield "Imitates a voice", _imitation(receipt)
    yield "Time", _time(receipt)
    yield "Sound", _sound(receipt)
    yield "Solid", _solid(receipt)
    yield "Tokens", _tokens(receipt)
    yield "Memory", memory_text(receipt)
    yield "Cost", f"{cost_text(receipt)} ({receipt.cost_note})"
    yield "Ended", ENDINGS.get(receipt.finish_reason or "", receipt.finish_reason or "")
    yield "Licence", receipt.license
    yield "Made", receipt.created


ENDINGS = {
    "stop": "by itself",
    "length": "at the longest answer allowed",
    "stopped": "stopped by you",
    "content_filter": "by the provider's content filter",
    "cut": "broken off",
}


def _seed(receipt: Receipt) -> str:
    if receipt.seed is None:
        return ""
    kinds = {"exact": "repeats exactly", "best-effort": "repeats as nearly as the engine can", "none": "ignored"}
    return f"{receipt.seed} ({kinds[receipt.seed_kind]})"


def _time(receipt: Receipt) -> str:
    s = receipt.seconds
    first = _FIRST.get(Task(receipt.task), "first preview")
    parts = [
        ("queue", s.queue),
        ("load", s.load),
        (first, s.first_output),
        ("all", s.total),
    ]
    return ", ".join(f"{name} {value:.2f} s" for name, value in parts if value)


def _setting(value: Any) -> str:
    """A list of pairs, as of speakers and their voices, in words."""
    if isinstance(value, list | tuple):
        return ", ".join(": ".join(map(str, each)) if isinstance(each, list | tuple) else str(each) for each in value)
    return str(value)


def _imitation(receipt: Receipt) -> str:
    extra = receipt.extra
    return f"consent {extra['consent']}; watermark: {extra['watermark']}" if extra.get("imitates_a_voice") else ""


def _sound(receipt: Receipt) -> str:
    if receipt.audio_seconds is None:
        return ""
    extra = receipt.extra
    parts = [
        (f"{receipt.audio_seconds:.2f} s", True),
        (f"real-time factor {receipt.realtime_factor:.4f}" if receipt.realtime_factor else "", True),
        (f"{extra.get('loudness_lufs')} LUFS (EBU R 128)", "loudness_lufs" in extra),
        (f"peak {extra.get('peak_db')} dB", "peak_db" in extra),
        (f"{extra.get('words_per_minute')} words a minute", "words_per_minute" in extra),
        (f"word times {extra.get('word_times')}", "word_times" in extra),
        (
            f"DNSMOS {extra.get('dnsmos_overall')} (voice {extra.get('dnsmos_signal')}, quiet behind it "
            f"{extra.get('dnsmos_background')})",
            "dnsmos_overall" in extra,
        ),
        (f"word error rate {extra.get('word_error_rate')} by {extra.get('heard_by')}", "word_error_rate" in extra),
    ]
    return ", ".join(text for text, known in parts if known and text)


def _solid(receipt: Receipt) -> str:
    extra = receipt.extra
    if "sides_mm" not in extra:
        return ""
    parts = [
        " x ".join(f"{side:g}" for side in extra["sides_mm"]) + " mm",
        f"{extra.get('triangles'):,} triangles",
        "closed" if extra.get("watertight") else "not closed",
        f"{extra['volume_cm3']} cm³" if "volume_cm3" in extra else "",
        f"{extra.get('area_cm2')} cm² of surface",
        f"outline {extra['outline_agreement']:.1%} that of the picture" if "outline_agreement" in extra else "",
        ", ".join(f"{stage} {seconds:g} s" for stage, seconds in extra.get("stage_seconds", {}).items()),
    ]
    return ", ".join(filter(None, parts))


def _tokens(receipt: Receipt) -> str:
    parts = [
        ("read", receipt.input_tokens),
        ("from cache", receipt.cached_tokens),
        ("written", receipt.output_tokens),
        ("thinking", receipt.reasoning_tokens),
    ]
    return ", ".join(f"{count:,} {name}" for name, count in parts if count)
