"""Draws the clips that the module is judged by, measures them, and writes it where the playground looks for it."""

from __future__ import annotations

import json
import shutil
import time
import tomllib
from pathlib import Path
from typing import Any

import clips
import judging
import module
import numpy
import torch
from diffusers import DiffusionPipeline, MotionAdapter
from evaluation import forget_places, nearest
from PIL import Image, ImageDraw

from shared.backends.diffusion.animation import CODES, PHRASES, Motions, animate, read_motions

HERE = Path(__file__).resolve().parent
WEIGHTS = HERE.parents[1] / "weights" / "text2video"
STEPS, GUIDANCE = 10, 6.0


def evaluate(folder: Path, image_folder: Path, image_work: Path, into: Path = WEIGHTS) -> dict[str, Any]:
    """Draw, measure, and write module, sheet, figures and card to `into`. Returns the figures."""
    asked = tomllib.loads((HERE / "prompts.toml").read_text("utf-8"))
    motions = list(clips.table()["motions"])
    begun = time.monotonic()
    pipe = moving(folder / "module", image_folder)
    drawn = {(t, m): draw(pipe, prompt(t, m), asked["seed"]) for t in asked["things"] for m in motions}
    seconds = (time.monotonic() - begun) / len(drawn)
    # The image model by itself, on the same noise: what the module has to be better than.
    plain = still(image_folder)
    alone = {thing: draw(plain, thing, asked["seed"]) for thing in asked["things"]}
    again = draw(pipe, prompt(*next(iter(drawn))), asked["seed"])
    figures = {
        **measured(drawn, motions),
        **compared(drawn, alone, image_work),
        "seconds_a_clip": round(seconds, 1),
        "same_seed_same_clip": bool((again == next(iter(drawn.values()))).all()),
        "steps_trained": torch.load(folder / "state.pt", weights_only=True)["steps"],
    }
    write(folder, into, figures)
    sheet(drawn).save(into / "sheet.webp", quality=80)
    print(json.dumps(figures, indent=2))
    return figures


def prompt(thing: str, motion: str) -> str:
    """The thing in the motion, as it is said oftenest."""
    return f"{thing} {clips.table()['motions'][motion][0]}"


def moving(module_folder: Path, image_folder: Path) -> Any:
    """The pipeline with the module that was trained."""
    pipe = DiffusionPipeline.from_pretrained(image_folder, dtype=torch.float32)
    return animate(pipe, MotionAdapter.from_pretrained(module_folder, dtype=torch.float32), read_motions(module_folder))


def still(image_folder: Path) -> Any:
    """The pipeline with an untrained module, which adds nothing: the image model, a frame at a time."""
    pipe = DiffusionPipeline.from_pretrained(image_folder, dtype=torch.float32)
    nothing = torch.zeros(clips.table()["frames"], pipe.unet.config.cross_attention_dim)
    motions = clips.table()["motions"]
    return animate(pipe, module.build(pipe.unet), Motions(motions, dict.fromkeys(motions, nothing)))


def draw(pipe: Any, text: str, seed: int) -> Any:
    """One clip at the default settings, uint8 (frames, 128, 128, 3)."""
    noise = torch.Generator("cpu").manual_seed(seed)
    side = pipe.unet.config.sample_size * pipe.vae_scale_factor
    made = pipe(
        text,
        num_frames=clips.table()["frames"],
        height=side,
        width=side,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        generator=noise,
    )
    return numpy.stack([numpy.asarray(frame) for frame in made.frames[0]])


def measured(drawn: dict[tuple[str, str], Any], motions: list[str]) -> dict[str, Any]:
    """How many clips show the motion asked for, and how many show it where another one was asked for."""
    shown = {key: judging.seen(frames) for key, frames in drawn.items()}
    asked = {m: [seen[m] for (_, other), seen in shown.items() if other == m] for m in motions}
    others = [seen[m] for m in motions for (_, other), seen in shown.items() if other != m]
    return {
        "motion_asked_is_seen": f"{sum(map(sum, asked.values()))} of {len(drawn)}",
        "by_motion": {m: f"{sum(hits)} of {len(hits)}" for m, hits in asked.items()},
        "a_motion_not_asked_is_seen": round(sum(others) / len(others), 3),
    }


def compared(drawn: dict[tuple[str, str], Any], alone: dict[str, Any], image_work: Path) -> dict[str, Any]:
    """Beside the image model's frames by themselves: whether the thing is still known, and how steady it is."""
    middles = [Image.fromarray(frames[len(frames) // 2]) for frames in drawn.values()]
    known = nearest(middles, [thing for thing, _ in drawn], image_work, _cropped)
    single = nearest([Image.fromarray(frames[0]) for frames in alone.values()], list(alone), image_work, _cropped)
    told = "nearest_emoji_is_the_one_asked"
    by_chance = sum(any(judging.seen(frames).values()) for frames in alone.values())
    return {
        "thing_is_known": known[told],
        "thing_is_known_in_the_image_models_pictures": single[told],
        "steadiness_db": _mean_steadiness(drawn),
        "steadiness_of_the_image_model_db": _mean_steadiness(alone),
        "image_model_shows_some_motion": f"{by_chance} of {len(alone)}",
    }


def _mean_steadiness(drawn: dict[Any, Any]) -> float:
    return round(float(numpy.mean([judging.steadiness(frames) for frames in drawn.values()])), 1)


def _cropped(picture: Image.Image) -> Any:
    return judging.cropped(numpy.asarray(picture.convert("RGB")))


def sheet(drawn: dict[tuple[str, str], Any], things: int = 4) -> Image.Image:
    """Of the first things every motion, a clip in a row, its frames at half their side."""
    shown = [key for key in drawn if key[0] in list(dict.fromkeys(t for t, _ in drawn))[:things]]
    side, line = 64, 14
    width = len(next(iter(drawn.values()))) * side
    page = Image.new("RGB", (2 * width + 24, -(-len(shown) // 2) * (side + line)), "white")
    pen = ImageDraw.Draw(page)
    for number, key in enumerate(shown):
        x, y = number % 2 * (width + 24), number // 2 * (side + line)
        for place, frame in enumerate(drawn[key]):
            small = Image.fromarray(frame).resize((side, side), Image.Resampling.LANCZOS)
            page.paste(small, (x + place * side, y + line))
        pen.text((x + 2, y), prompt(*key), "black")
    return page


def write(folder: Path, into: Path, figures: dict[str, Any]) -> None:
    """The module in float16, its words, figures and card."""
    into.mkdir(parents=True, exist_ok=True)
    adapter = MotionAdapter.from_pretrained(folder / "module", dtype=torch.float16)
    adapter.save_pretrained(into, safe_serialization=True)
    for name in (CODES, PHRASES):
        shutil.copyfile(folder / "module" / name, into / name)
    (into / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    forget_places(into)
    (into / "README.md").write_text(card(adapter, figures), "utf-8")


def card(adapter: Any, figures: dict[str, Any]) -> str:
    """The model card: the template with what was measured."""
    return (
        (HERE / "card.md")
        .read_text("utf-8")
        .format(
            **{**figures, "by_motion": ", ".join(f"{m} {hits}" for m, hits in figures["by_motion"].items())},
            motions=", ".join(ways[0] for ways in clips.table()["motions"].values()),
            frames=clips.table()["frames"],
            same="yes" if figures["same_seed_same_clip"] else "no",
            parameters=round(sum(p.numel() for p in adapter.parameters()) / 1e6, 1),
            batch=module.BATCH,
            steps=STEPS,
            guidance=GUIDANCE,
        )
    )
