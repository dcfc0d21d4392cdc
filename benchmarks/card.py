"""On an NVIDIA card: pictures and answers through our engine against the bare libraries, what the models take of the
card against what the catalogue says, and models on a card that is too small for them. Nothing without a card."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import card_models
from measuring import give, row

from shared.backends import get_backend
from shared.catalog import Catalog, ModelSpec, Variant, load_catalog
from shared.engine import Engine
from shared.events import Final
from shared.machine import GIB, probe
from shared.memory import give_back
from shared.requests import ChatRequest, ImageRequest, Message, Request, VideoRequest
from shared.settings import Settings
from shared.streaming import Emitter
from shared.tasks import Task

STEPS, ROUNDS = 20, 3
PICTURE = ImageRequest(prompt="a red apple", seed=1, num_inference_steps=STEPS, guidance_scale=6.0)
ANSWER = ChatRequest(messages=(Message("user", "Once"),), seed=1, max_tokens=200, temperature=0.8, top_p=0.95)
CLIP = VideoRequest(
    prompt="a red apple", seed=1, width=832, height=480, num_frames=81, num_inference_steps=2, guidance_scale=5.0
)


def engine_of(data: Path, task: Task, **variants: Variant) -> Engine:
    """An engine that knows these."""
    specs = [ModelSpec(id=name, name=name, task=task, license="none", variants=(v,)) for name, v in variants.items()]
    return Engine(Catalog(specs), Settings(data_dir=data))


def ran(engine: Engine, model: str, request: Request) -> Any:
    """The receipt of a run."""
    *_, final = engine.generate(model, request)
    assert isinstance(final, Final)
    return final.receipt


def seconds(receipt: Any) -> float:
    """What a run took, without loading."""
    return float(receipt.seconds.total - receipt.seconds.load - receipt.seconds.queue)


def peak(variant: Variant, request: Request, data: Path) -> tuple[float, float]:
    """GiB of the card that the weights take, and the most that a run takes with them."""
    import torch

    give_back()
    before = torch.cuda.memory_allocated()
    emit = Emitter(lambda event: None)
    model = get_backend(variant.backend).load(variant, Settings(data_dir=data), emit)
    loaded = torch.cuda.memory_allocated() - before
    torch.cuda.reset_peak_memory_stats()
    model.run(request, emit)
    most = torch.cuda.max_memory_allocated() - before
    model.close()
    give_back()
    return loaded / GIB, most / GIB


@contextmanager
def only(gib: float) -> Iterator[None]:
    """As on a card of that size: the rest is taken."""
    import torch

    give_back()
    rest = torch.cuda.mem_get_info()[0] - round(gib * GIB)
    held = torch.empty(rest, dtype=torch.uint8, device="cuda")
    try:
        yield
    finally:
        del held
        give_back()


def told(model: str) -> float:
    """What the catalogue says that a model takes of a card."""
    return next(v.card_gb for v in load_catalog().get(model).variants if v.card_gb)


def bare_picture(folder: Path, side: int) -> Callable[[], float]:
    """A function that draws by diffusers alone, set up as we do; it gives the seconds."""
    import diffusers
    import torch

    kind: Any = diffusers.DiffusionPipeline
    pipe = kind.from_pretrained(folder, dtype=torch.bfloat16).to("cuda")
    pipe.set_progress_bar_config(disable=True)
    pipe.vae.enable_tiling()

    def drawn() -> float:
        noise, begun = torch.Generator("cpu").manual_seed(1), time.perf_counter()
        pipe("a red apple", num_inference_steps=STEPS, guidance_scale=6.0, generator=noise, width=side, height=side)
        return time.perf_counter() - begun

    return drawn


def bare_answer(folder: Path) -> Callable[[], float]:
    """A function that answers by transformers alone, sampling the same way; it gives tokens a second."""
    import torch
    import transformers

    library: Any = transformers
    model = library.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).to("cuda").eval()
    reader = library.AutoTokenizer.from_pretrained(folder)
    ids = reader("Once", return_tensors="pt")["input_ids"].to("cuda")
    sampled = {"do_sample": True, "temperature": 0.8, "top_p": 0.95, "top_k": 0, "eos_token_id": None}

    def answered() -> float:
        begun = time.perf_counter()
        with torch.inference_mode():
            made = model.generate(ids, max_new_tokens=200, min_new_tokens=200, **sampled)
        return float(made.shape[1] - ids.shape[1]) / (time.perf_counter() - begun)

    return answered


Rows = Iterator[dict[str, Any]]


def pictures(data: Path) -> Rows:
    """Stable Diffusion 1.5 and XL."""
    for name, make, side in (("sd-1.5", card_models.sd15, 512), ("sdxl", card_models.sdxl, 1024)):
        folder = make(data / name)
        give_back()
        options = {"side": side}
        variant = Variant(backend="diffusers", repo_id=str(folder), device="cuda", options=options)
        weights, most = peak(variant, PICTURE, data)
        says = f"{weights:.2f} GiB of weights, at most {most:.2f} at {side} px; the catalogue says {told(name):g}"
        yield row(f"card: {name} / what the catalogue says of it", most / told(name), "times", "<= 1", says)
        engine = engine_of(data, Task.TEXT_TO_IMAGE, m=variant)
        ran(engine, "m", PICTURE)
        bare = bare_picture(folder, side)
        bare()
        pairs = [(seconds(ran(engine, "m", PICTURE)), bare()) for _ in range(ROUNDS)]
        ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(mine / other for mine, other in pairs)
        says = f"median of {ROUNDS} pairs, {STEPS} steps at {side} px; {ours:.2f} s, {theirs:.2f} s"
        yield row(f"card: a picture by {name} / raw diffusers'", ratio, "times", "<= 1.03", says)
        engine.pool.unload()
        del bare
        give_back()
    yield from small_cards(data, folder, theirs)


def small_cards(data: Path, folder: Path, whole: float) -> Rows:
    """Stable Diffusion XL where the card is too small for it."""
    for size in (7.0, 4.0):
        for quantization in (None, "fp8"):
            variant = Variant(
                backend="diffusers",
                repo_id=str(folder),
                device="cuda",
                quantization=quantization,
                options={"side": 1024},
            )
            engine = engine_of(data, Task.TEXT_TO_IMAGE, m=variant)
            with only(size):
                receipt = ran(engine, "m", PICTURE)
                took = [seconds(ran(engine, "m", PICTURE)) for _ in range(2)]
                engine.pool.unload()
            way, kept = receipt.extra.get("offload", "whole"), quantization or "bf16"
            says = f"in {way}; {min(took):.2f} s a picture of {STEPS} steps, loading {receipt.seconds.load:.1f} s"
            named = f"card: sdxl in {kept} on {size:g} GiB / whole"
            yield row(named, min(took) / whole, "times", "<= 20", says)


def clips(data: Path) -> Rows:
    """Wan 1.3B: what a clip takes beside the weights."""
    folder = card_models.wan(data / "wan")
    give_back()
    for quantization, offload in ((None, "whole"), ("fp8", "whole"), (None, "layers")):
        options = {"pipeline": "WanPipeline", "offload": offload}
        variant = Variant(
            backend="diffusers_video", repo_id=str(folder), device="cuda", quantization=quantization, options=options
        )
        begun = time.perf_counter()
        weights, most = peak(variant, CLIP, data)
        took = time.perf_counter() - begun
        says = f"{weights:.2f} GiB there before, {took:.1f} s with loading, {CLIP.num_inference_steps} steps"
        named = f"card: wan-1.3b, {quantization or 'bf16'}, {offload}: 81 frames at 832x480"
        yield row(named, most - (weights if offload == "whole" else 0), "GiB beside weights", "<= 16", says)


def answers(data: Path) -> Rows:
    """Llama 1B."""
    folder = card_models.llama(data / "llama")
    give_back()
    engine = engine_of(data, Task.CHAT, m=Variant(backend="transformers", repo_id=str(folder), device="cuda"))
    bare = bare_answer(folder)
    ran(engine, "m", ANSWER)
    bare()
    pairs = [(ran(engine, "m", ANSWER).tokens_per_second, bare()) for _ in range(ROUNDS)]
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    rates = " and ".join(f"{statistics.median(side):.1f}" for side in zip(*pairs, strict=True))
    says = f"median of {ROUNDS} pairs, 200 tokens of 128,256; {rates} tokens/s"
    yield row("card: tokens/s of llama-1b / raw transformers", ratio, "times", ">= 0.9", says)


def main() -> None:
    """All of them; each tells its rows as it ends, since a card may be lent for minutes only."""
    rows: list[dict[str, Any]] = []
    if probe().cuda_gb:
        with tempfile.TemporaryDirectory() as folder:
            for measured in (answers, pictures, clips):
                if sys.argv[1:] and measured.__name__ not in sys.argv[1:]:
                    continue
                try:
                    for found in measured(Path(folder)):
                        rows.append(found)
                        print(json.dumps(found), file=sys.stderr, flush=True)
                except Exception as error:  # the others are worth having
                    print(f"{measured.__name__}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    give(rows)


if __name__ == "__main__":
    main()
