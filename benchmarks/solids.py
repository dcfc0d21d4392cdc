"""The 3D starter through our engine against its stages run bare, what the stages take, and memory over many solids."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import give, row

from shared.backends import get_backend
from shared.backends.lift_solid import drawing
from shared.catalog import load_catalog
from shared.engine import Engine
from shared.errors import BackendError
from shared.media.opening import open_picture
from shared.memory import give_back, rss_gb
from shared.requests import ImagePart, ImageRequest, SolidRequest
from shared.settings import from_environment
from shared.solid.cutout import cut_out
from shared.solid.files import encode
from shared.solid.finishing import finish
from shared.solid.lifting import Shape, lift
from shared.starter import locate_folder
from shared.streaming import Emitter

MODEL = "starter-lift"
STEPS, GUIDANCE, ROUNDS = 20, 6.0, 5
SOLIDS = 20
LONGEST = 30.0  # seconds from words to a file, on two cores


class Bare:
    """The image model, called without our engine, and the geometry after it."""

    def __init__(self, engine: Engine) -> None:
        variant = drawing(engine.find(MODEL).variants[0])
        assert variant is not None
        self._model = get_backend(variant.backend).load(variant, engine.settings, Emitter(lambda event: None))

    def made(self, seed: int) -> float:
        """Seconds from words to a GLB."""
        began = time.perf_counter()
        asked = ImageRequest(prompt="a red apple", seed=seed, num_inference_steps=STEPS, guidance_scale=GUIDANCE)
        picture = self._model.run(asked, Emitter(lambda event: None)).output.images[0]
        solid, _ = lift(cut_out(open_picture(picture.data)), Shape())
        encode(solid, "glb")
        return time.perf_counter() - began


def aside(call: Callable[[], Any]) -> Any:
    """What it returns, called in a thread of its own, as the engine calls its models (see pictures.py)."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def ours(engine: Engine, seed: int, image: ImagePart | None = None) -> tuple[float, dict[str, float]]:
    """Seconds from words, or from a picture, to a GLB with its receipt, and what the stages took of it."""
    began = time.perf_counter()
    drawn: dict[str, Any] = {"seed": seed, "num_inference_steps": STEPS, "guidance_scale": GUIDANCE}
    asked = SolidRequest(image=image) if image else SolidRequest(prompt="a red apple", **drawn)
    *_, final = engine.generate(MODEL, asked)
    finished = finish(final.output, final.receipt, asked, engine.settings)  # type: ignore[union-attr]
    finished.file("glb")
    return time.perf_counter() - began, final.receipt.extra["stage_seconds"]  # type: ignore[union-attr]


def main() -> None:
    """The two in turns. Nothing is measured where the starter model is not there."""
    try:
        locate_folder("text2img")
    except BackendError as error:
        print(error, file=sys.stderr)
        give([])
        return
    engine = Engine(load_catalog(), from_environment())
    began = time.perf_counter()
    ours(engine, 0)
    first = time.perf_counter() - began
    bare = aside(partial(Bare, engine))
    aside(partial(bare.made, 0))
    pairs = [(ours(engine, n), aside(partial(bare.made, n))) for n in range(ROUNDS)]
    share = statistics.median(mine[0] / theirs for mine, theirs in pairs)
    mine, theirs = (statistics.median(column) for column in zip(*((m[0], t) for m, t in pairs), strict=True))
    details = f"median of {ROUNDS} pairs: {mine:.2f} s with checks, measures and receipt, {theirs:.2f} s bare"
    rows = [row("solids: words to a GLB / its stages run bare", share, "times", "<= 1.05", details)]
    rows.append(row("solids: first one, with loading", first, "s", f"<= {LONGEST:g}", "from words to a GLB"))
    picture = engine_picture(engine)
    lifts = [ours(engine, n, picture) for n in range(ROUNDS)]
    told = ", ".join(f"{stage} {seconds:.3f} s" for stage, seconds in lifts[-1][1].items())
    rows.append(row("solids: a picture to a GLB", statistics.median(each[0] for each in lifts), "s", "<= 2", told))
    give_back()
    before = rss_gb()
    for number in range(SOLIDS):
        ours(engine, number)
    give_back()
    after = rss_gb()
    grown = max(after / before - 1, 0.0)
    details = f"{before:.3f} GB before, {after:.3f} after {SOLIDS} solids"
    rows.append(row("solids: memory grown", grown, "of all", "<= 0.02", details))
    give(rows)


def engine_picture(engine: Engine) -> ImagePart:
    """A picture of the starter's, to be lifted by itself."""
    *_, final = engine.generate(MODEL, SolidRequest(prompt="a red apple", seed=7, num_inference_steps=STEPS))
    picture: ImagePart = final.output.picture  # type: ignore[union-attr]
    return picture


if __name__ == "__main__":
    main()
