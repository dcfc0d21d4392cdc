"""The image starter through our engine against raw diffusers, its memory over many requests, and its engines."""

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

from shared.catalog import Variant, load_catalog
from shared.engine import Engine
from shared.errors import BackendError
from shared.memory import give_back, rss_gb
from shared.requests import ImageRequest
from shared.settings import from_environment
from shared.starter import locate_folder
from shared.tasks import Mode

MODEL = "fluent-starter"
STEPS, GUIDANCE, ROUNDS = 40, 6.0, 7
REQUESTS = 20


class Raw:
    """diffusers by itself."""

    def __init__(self) -> None:
        import diffusers
        import torch

        self._pipe = diffusers.DiffusionPipeline.from_pretrained(locate_folder("text2img"), dtype=torch.float32)
        self._pipe.set_progress_bar_config(disable=True)

    def rate(self, seed: int) -> float:
        """Steps a second of one picture, its first step left out."""
        import torch

        times: list[float] = []

        def ended(pipe: Any, step: int, when: Any, values: dict[str, Any]) -> dict[str, Any]:
            times.append(time.perf_counter())
            return values

        noise = torch.Generator("cpu").manual_seed(seed)
        self._pipe(
            "a red apple",
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            generator=noise,
            callback_on_step_end=ended,
        )
        return (len(times) - 1) / (times[-1] - times[0])


def aside(call: Callable[[], Any]) -> Any:
    """What it returns, called in a thread of its own, as the engine calls diffusers.

    In one process the two must be alike in this: once GNU OpenMP has threads of two callers, more than there are
    cores, its threads no longer wait awake, and the second caller lost a fourth of its speed, whoever it was.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def ours(engine: Engine, variant: Variant, seed: int) -> tuple[float, float]:
    """Steps a second with previews on, and seconds in all without loading."""
    request = ImageRequest(prompt="a red apple", seed=seed, num_inference_steps=STEPS, guidance_scale=GUIDANCE)
    *_, final = engine.generate(MODEL, request, variant=variant.key)
    seconds = final.receipt.seconds  # type: ignore[union-attr]
    return float(final.receipt.extra["steps_per_second"]), seconds.total - seconds.load - seconds.queue  # type: ignore[union-attr]


def main() -> None:
    """The two in turns, then the other engines. Nothing is measured where the starter model is not there."""
    try:
        locate_folder("text2img")
    except BackendError as error:
        print(error, file=sys.stderr)
        give([])
        return
    engine = Engine(load_catalog(), from_environment())
    spec = engine.find(MODEL)
    full, *others = [v for v in spec.variants if v.mode != Mode.HOSTED]
    raw = aside(Raw)
    aside(partial(raw.rate, 0)), ours(engine, full, 0)
    pairs = [(ours(engine, full, n)[0], aside(partial(raw.rate, n))) for n in range(ROUNDS)]
    speed = statistics.median(mine / theirs for mine, theirs in pairs)
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    rows = [
        row(
            "pictures: steps/s with previews / raw diffusers",
            speed,
            "times",
            ">= 0.97",
            f"median of {ROUNDS} pairs, {STEPS} steps; {mine:.1f} and {theirs:.1f} steps/s",
        )
    ]
    give_back()
    before = rss_gb()
    for number in range(REQUESTS):
        ours(engine, full, number)
    give_back()
    after = rss_gb()
    grown = max(after / before - 1, 0.0)
    details = f"{before:.3f} GB before, {after:.3f} after {REQUESTS} requests"
    rows.append(row("pictures: memory grown", grown, "of all", "<= 0.02", details))
    for other in others:
        ours(engine, other, 0)
        each = [(ours(engine, other, n), ours(engine, full, n)) for n in range(3)]
        faster = statistics.median(one[0] / two[0] for one, two in each)
        took = statistics.median(one[1] for one, _ in each)
        name = f"{other.backend} {other.quantization or ''}".strip()
        rows.append(row(f"pictures: steps/s of {name} / diffusers", faster, "times", ">= 1", f"{took:.2f} s a picture"))
    give(rows)


if __name__ == "__main__":
    main()
