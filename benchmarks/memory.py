"""Does the memory come back? Every engine of the starter model is loaded, used and unloaded ten times.

The figure is what is left over after ten loads, as a share of what the loaded model takes. The first load and
unloading come before: they bring in the engine's library, which stays.
"""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import give, row

from shared.catalog import load_catalog
from shared.engine import Engine
from shared.memory import rss_gb
from shared.requests import ChatRequest, Message
from shared.settings import from_environment
from shared.tasks import Mode

TIMES = 10
MODEL = "smollm2-135m"


def cycles(variant: str, put: Any) -> None:
    """Memory in GiB after each unloading, and while loaded; the first also imports the engine's library."""
    engine = Engine(load_catalog(), from_environment())
    request = ChatRequest(messages=(Message("user", "Say hello."),), max_tokens=16)
    after, loaded = [], 0.0
    for _ in range(TIMES + 1):
        *_, final = engine.generate(MODEL, request, variant=variant)
        assert final.output.text
        loaded = max(loaded, rss_gb())
        engine.pool.unload()
        after.append(rss_gb())
    put.send((after, loaded))


def main() -> None:
    """One process an engine, so that each is measured by itself."""
    engine = Engine(load_catalog(), from_environment())
    choices = [c for c in engine.choices_for(engine.find(MODEL)) if c.variant.mode != Mode.HOSTED and not c.reason]
    rows = []
    for choice in choices:
        take, put = multiprocessing.get_context("spawn").Pipe(duplex=False)
        child = multiprocessing.get_context("spawn").Process(target=cycles, args=(choice.variant.key, put))
        child.start()
        put.close()
        after, loaded = take.recv()
        child.join()
        name = f"{choice.variant.backend} {choice.variant.quantization or ''}".strip()
        kept = max(after[-1] - after[0], 0.0) / (loaded - after[0])
        details = f"{after[0]:.3f} GB after the first unloading, {after[-1]:.3f} after ten more, {loaded:.2f} loaded"
        rows.append(row(f"memory not given back after ten loads, {name}", kept, "of the model's", "<= 0.05", details))
    give(rows)


if __name__ == "__main__":
    main()
