"""The video starter through our engine against the same frames by raw diffusers, and its memory over many clips."""

from __future__ import annotations

import statistics
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import give, row
from pictures import Raw as Pictures
from pictures import aside

from shared.backends.local.threads import share_cores
from shared.catalog import load_catalog
from shared.engine import Engine
from shared.errors import BackendError
from shared.memory import give_back, rss_gb
from shared.requests import VideoRequest
from shared.settings import from_environment
from shared.starter import locate_folder

MODEL = "fluent-travel"
FRAMES, STEPS, GUIDANCE, ROUNDS = 24, 14, 6.0, 3
CLIPS = 10


class Raw(Pictures):
    """As many pictures with as many steps by diffusers itself, nothing shown and nothing written."""

    def rate(self, seed: int) -> float:
        """Frames a second."""
        import torch

        begun = time.perf_counter()
        for _ in range(FRAMES):
            noise = torch.Generator("cpu").manual_seed(seed)
            self._pipe("a red apple", num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=noise)
        return FRAMES / (time.perf_counter() - begun)


def ours(engine: Engine, seed: int, frames: int = FRAMES) -> tuple[float, float]:
    """Frames a second with all shown and encoded, and seconds in all without loading."""
    request = VideoRequest(
        prompt="a red apple", seed=seed, num_frames=frames, num_inference_steps=STEPS, guidance_scale=GUIDANCE
    )
    variant: Any = engine.find(MODEL).variants[0]
    *_, final = engine.generate(MODEL, request, variant=variant.key)
    seconds = final.receipt.seconds  # type: ignore[union-attr]
    took = seconds.total - seconds.load - seconds.queue
    return frames / took, took


def main() -> None:
    """The two in turns, then memory. Nothing is measured where the starter model is not there."""
    try:
        locate_folder("text2img")
    except BackendError as error:
        print(error, file=sys.stderr)
        give([])
        return
    engine = Engine(load_catalog(), from_environment())
    share_cores()  # before either imports torch: both wait for their threads in the same way
    raw = aside(Raw)
    ours(engine, 0, 4)
    pairs = [(ours(engine, n), aside(partial(raw.rate, n))) for n in range(ROUNDS)]
    speed = statistics.median(mine[0] / theirs for mine, theirs in pairs)
    took = statistics.median(mine[1] for mine, _ in pairs)
    details = f"median of {ROUNDS} pairs, {FRAMES} frames of {STEPS} steps; {took:.1f} s a clip"
    rows = [row("clips: frames/s, shown and encoded / raw diffusers", speed, "times", ">= 0.97", details)]
    del raw
    give_back()
    ours(engine, 0, 8)
    before = rss_gb()
    for number in range(CLIPS):
        ours(engine, number, 8)
    give_back()
    after = rss_gb()
    details = f"{before:.3f} GB before, {after:.3f} after {CLIPS} clips"
    rows.append(row("clips: memory grown", max(after / before - 1, 0.0), "of all", "<= 0.02", details))
    give(rows)


if __name__ == "__main__":
    main()
