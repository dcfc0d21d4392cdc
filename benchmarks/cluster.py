"""The Ray pool against the one-machine pool: what a run costs more, and what a second replica brings.

The work is paced, so that neither replicas nor pools share a core with it; the starter chat model is real.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import give, row

from shared.catalog import Catalog, ModelSpec, Variant, load_catalog
from shared.cluster.config import ClusterConfig, read_config
from shared.cluster.pool import RayPool
from shared.cluster.starting import disconnect
from shared.engine import Engine
from shared.events import Partial
from shared.machine import Machine, probe
from shared.pool import ModelPool
from shared.pools import Pool
from shared.requests import ChatRequest, Message
from shared.settings import Settings, from_environment
from shared.tasks import Task
from tests.support.paced import listed, paced

PAIRS, EVENTS, TOKENS, SPEEDS = 11, 400, 96, 5
RUNS, ASKERS, ROUNDS = 12, 6, 3
PACE = {"pause": 0.02, "pieces": 25}  # half a second a run


def cluster() -> ClusterConfig:
    """One on this machine, where the model `two` has two replicas."""
    config = read_config()
    return ClusterConfig(cpus=16, every=config.every, rows=(*config.rows, {"repo_id": "two", "replicas": 2}))


def engine(pool: Pool, settings: Settings, variant: Variant | None = None) -> Engine:
    """An engine on that pool; with a variant it knows that alone."""
    if variant is None:
        return Engine(load_catalog(), settings, pool=pool)
    spec = ModelSpec(id="m", name="M", task=Task.CHAT, license="MIT", variants=(variant,))
    return Engine(Catalog([spec]), settings, pool=pool)


def ask(at: Engine, model: str = "m", **more: Any) -> tuple[float, float, Any]:
    """Seconds to the first output and in all, and the receipt."""
    begun, first = time.perf_counter(), 0.0
    request = ChatRequest(messages=(Message("user", "Tell me a story."),), seed=1, **more)
    for event in at.generate(model, request):
        if isinstance(event, Partial) and not first:
            first = time.perf_counter() - begun
    return first, time.perf_counter() - begun, event.receipt  # type: ignore[union-attr]


def in_turns(one: Engine, other: Engine, rounds: int, model: str = "m", **more: Any) -> list[tuple[Any, Any]]:
    """What `ask` tells of both, in turns, after one run of each that isn't counted."""
    ask(one, model, **more), ask(other, model, **more)
    return [(ask(one, model, **more), ask(other, model, **more)) for _ in range(rounds)]


def rate(at: Engine) -> float:
    """Runs a second where several people ask one after another."""
    left = list(range(RUNS))

    def person() -> None:
        while left:
            left.pop()
            ask(at)

    people = [threading.Thread(target=person) for _ in range(ASKERS)]
    begun = time.perf_counter()
    for each in people:
        each.start()
    for each in people:
        each.join()
    return RUNS / (time.perf_counter() - begun)


def in_pairs(name: str, pairs: list[tuple[float, float]], goal: str, words: str) -> dict[str, Any]:
    """How many times the second of each pair is the first. `words` has places for the medians of second and first."""
    one, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    times = statistics.median(b / a for a, b in pairs)
    return row(f"cluster: {name}", times, "times", goal, f"median of {len(pairs)} pairs{words}".format(other, one))


def overhead(local: Pool, ray: Pool, settings: Settings) -> list[dict[str, Any]]:
    """To the first event, for each event, and over a whole run at the pace of speech."""
    quick = paced("quick", pieces=EVENTS)
    pairs = in_turns(engine(local, settings, quick), engine(ray, settings, quick), PAIRS)
    later = statistics.median(there[0] - here[0] for here, there in pairs) * 1000
    each = statistics.median((there[1] - there[0]) - (here[1] - here[0]) for here, there in pairs) / EVENTS * 1e6
    slow = paced("slow", **PACE)
    whole = in_turns(engine(local, settings, slow), engine(ray, settings, slow), SPEEDS)
    return [
        row("cluster: first event later than the local pool's", later, "ms", "<= 25", f"median of {PAIRS} pairs"),
        row("cluster: each event more than by the local pool", each, "µs", "<= 500", f"{EVENTS} at once, not paced"),
        in_pairs(
            "a paced run / the local pool's",
            [(here[1], there[1]) for here, there in whole],
            "<= 1.05",
            "; 25 events in half a second; {:.2f} and {:.2f} s",
        ),
    ]


def real(local: Pool, ray: Pool, settings: Settings) -> dict[str, Any]:
    """The starter chat model's speed."""
    here, there = engine(local, settings), engine(ray, settings)
    model = next(spec for spec in here.catalog.for_task(Task.CHAT) if spec.starter).id
    pairs = in_turns(here, there, SPEEDS, model, max_tokens=TOKENS, temperature=0.0)
    first = statistics.median(other[0] - one[0] for one, other in pairs) * 1000
    return in_pairs(
        "a run of the starter chat model / the local pool's",
        [(one[1], other[1]) for one, other in pairs],
        "<= 1.1",
        f" of {TOKENS} tokens; {{:.2f}} and {{:.2f}} s; first token {first:.0f} ms later",
    )


def work(settings: Settings, machine: Machine) -> dict[str, Any]:
    """The processor's time for the same answer, by one thread of the engine: two that wait for each other would count
    their waiting, and whatever else runs on two cores."""
    import psutil

    settings = replace(settings, threads=1)
    here, there = (engine(p, settings) for p in (ModelPool(settings, machine), RayPool(settings, machine, cluster())))
    model = next(spec for spec in here.catalog.for_task(Task.CHAT) if spec.starter).id
    ask(here, model, max_tokens=TOKENS), ask(there, model, max_tokens=TOKENS)
    front = psutil.Process()
    replica = next(p for p in front.children(recursive=True) if "ServeReplica" in " ".join(p.cmdline()))

    def spent(at: Engine) -> float:
        before = sum(sum(p.cpu_times()[:2]) for p in (front, replica))
        ask(at, model, max_tokens=TOKENS, temperature=0.0)
        return sum(sum(p.cpu_times()[:2]) for p in (front, replica)) - before

    return in_pairs(
        "processor's time of a chat run / the local pool's",
        [(spent(here), spent(there)) for _ in range(SPEEDS)],
        "<= 1.1",
        f" of {TOKENS} tokens by one thread; front and replica {{:.2f}} s, {{:.2f}} s",
    )


def main() -> None:
    """All, on one cluster."""
    settings = from_environment()
    machine = probe()
    local, ray = ModelPool(settings, machine), RayPool(settings, machine, cluster())
    with listed():
        rows = overhead(local, ray, settings)
        one, two = (engine(ray, settings, paced(name, **PACE)) for name in ("one", "two"))
        ask(one), ask(two)
        _both_serve(two)
        rows.append(
            in_pairs(
                "runs/s of two replicas / one",
                [(rate(one), rate(two)) for _ in range(ROUNDS)],
                ">= 1.8",
                f"; {RUNS} paced runs, {ASKERS} people; {{:.2f}} and {{:.2f}} runs/s",
            )
        )
        ray.unload()
        rows.append(real(local, ray, settings))
        ray.unload()
        rows.append(work(settings, machine))
    disconnect()
    give(rows)


def _both_serve(at: Engine) -> None:
    """Wait until the second replica serves too."""
    from shared.cluster import deployments

    while deployments.state(deployments.name_of(at.find("m").variants[0]))[1] < 2:
        time.sleep(0.1)


if __name__ == "__main__":
    main()
