"""Opinions of listeners: scores from 1 to 5 given by ear, their means, and files of them.

The scale is the absolute category rating of ITU-T P.800; its mean is the mean opinion score (MOS).
"""

from __future__ import annotations

import csv
import io
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from shared.errors import InvalidRequest

SCALE: Mapping[int, str] = {1: "bad", 2: "poor", 3: "fair", 4: "good", 5: "excellent"}
MOST = 2000  # that are kept
LARGEST = 4_000_000  # bytes of a file
_LONGEST = 1000  # characters of a text that are kept


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """A score. `engine`: model, engine and voice as a person reads them. `blind`: its name was hidden meanwhile.

    `created`: when, in UTC, as ISO 8601. `kind`: the task, by its name on the Hub.
    """

    engine: str
    score: int
    blind: bool
    text: str
    seed: int | None = None
    created: str = ""
    kind: str = "text-to-speech"


@dataclass(frozen=True)
class Mean:
    """An engine's mean opinion score. `margin`: half of its 95% interval, None where there is one score alone."""

    engine: str
    score: float
    margin: float | None
    count: int
    blind: int


def means(opinions: Iterable[Opinion]) -> list[Mean]:
    """For each engine, best first."""
    by_engine: dict[str, list[Opinion]] = {}
    for opinion in opinions:
        by_engine.setdefault(opinion.engine, []).append(opinion)
    found = [_mean(engine, each) for engine, each in by_engine.items()]
    return sorted(found, key=lambda mean: (-mean.score, mean.engine))


def _mean(engine: str, opinions: Sequence[Opinion]) -> Mean:
    scores = [opinion.score for opinion in opinions]
    return Mean(engine, statistics.fmean(scores), _margin(scores), len(scores), sum(o.blind for o in opinions))


def _margin(scores: Sequence[int]) -> float | None:
    """By Student's t, since scores are few."""
    if len(scores) < 2:
        return None
    from scipy.special import stdtrit

    return float(stdtrit(len(scores) - 1, 0.975)) * statistics.stdev(scores) / math.sqrt(len(scores))


def kept(opinions: Iterable[Opinion]) -> list[dict[str, Any]]:
    """As plain JSON types, the latest `MOST` of them."""
    return [{**asdict(opinion), "text": opinion.text[:_LONGEST]} for opinion in [*opinions][-MOST:]]


def read(stored: Any) -> list[Opinion]:
    """Read back what was kept. What is none of ours is left out: it comes from a browser."""
    if not isinstance(stored, list):
        return []
    return [Opinion(**_known(row)) for row in stored[-MOST:] if _whole(row)]


def _known(row: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: row[field.name] for field in fields(Opinion) if field.name in row}


def _whole(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and all(isinstance(row.get(name), str) for name in ("engine", "text", "created"))
        and isinstance(row.get("kind", ""), str)
        and isinstance(row.get("blind"), bool)
        and type(row.get("score")) is int
        and row["score"] in SCALE
        and type(row.get("seed")) in (int, type(None))
    )


def together(opinions: Iterable[Opinion]) -> list[Opinion]:
    """Each once, oldest first: who puts files together may have one twice."""
    return sorted(dict.fromkeys(opinions), key=lambda opinion: opinion.created)


def from_json(data: bytes) -> list[Opinion]:
    """The scores of a file that `to_json` wrote. Raises `InvalidRequest` for any other."""
    try:
        found = read(json.loads(data)["opinions"]) if len(data) <= LARGEST else []
    except (ValueError, KeyError, TypeError, RecursionError):
        found = []
    if not found:
        raise InvalidRequest("This file holds no scores. Choose one that was saved here by “Scores as JSON”.")
    return found


def to_csv(opinions: Sequence[Opinion]) -> str:
    """A line each, under a heading. Text that a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.name for field in fields(Opinion)])
    for opinion in opinions:
        writer.writerow([_plain(value) for value in asdict(opinion).values()])
    return out.getvalue()


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def to_json(opinions: Sequence[Opinion]) -> str:
    """The scores and their means."""
    scale = {str(score): word for score, word in SCALE.items()}
    told = {
        "scale": scale,
        "means": [asdict(mean) for mean in means(opinions)],
        "opinions": [asdict(o) for o in opinions],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
