"""Judges the model by its prompts, draws its sheet, and writes it where the playground looks for it."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import torch
from denoiser import BATCH
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from source import captions, emoji
from torch.nn import functional

HERE = Path(__file__).resolve().parent
WEIGHTS = HERE.parents[1] / "weights" / "text2img"
STEPS, GUIDANCE = 20, 6.0
BLOCK = 8  # pixels of a latent's side


def evaluate(folder: Path) -> None:
    """Draw, measure, and write weights, previews, sheet and card to `WEIGHTS`."""
    pipe = StableDiffusionPipeline.from_pretrained(folder / "pipeline", safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    prompts = tomllib.loads((HERE / "prompts.toml").read_text("utf-8"))
    asked = [*prompts["everyday"], *prompts["combined"]]
    begun = time.monotonic()
    drawn = [draw(pipe, prompt, prompts["seed"]) for prompt in asked]
    seconds = (time.monotonic() - begun) / len(asked)
    again = draw(pipe, asked[0], prompts["seed"])
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    sheet(drawn, asked).save(WEIGHTS / "sheet.webp", quality=90)
    figures = {
        **nearest(drawn[: len(prompts["everyday"])], prompts["everyday"], folder),
        "reconstruction_db": reconstruction(pipe.vae, folder),
        "seconds_a_picture": round(seconds, 2),
        "same_seed_same_picture": bool((numpy.asarray(again) == numpy.asarray(drawn[0])).all()),
        "steps_trained": torch.load(folder / "denoiser-state.pt", weights_only=True)["steps"],
    }
    (WEIGHTS / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    fit_preview(pipe.vae, folder, WEIGHTS / "preview")
    pipe.to(torch.float16).save_pretrained(WEIGHTS, safe_serialization=True)
    forget_places(WEIGHTS)
    (WEIGHTS / "README.md").write_text(card(pipe, figures, folder), "utf-8")
    print(json.dumps(figures, indent=2))


def forget_places(folder: Path) -> None:
    """Take out of the configurations where on this machine the parts were loaded from."""
    for file in folder.rglob("*.json"):
        told = json.loads(file.read_text("utf-8"))
        if isinstance(told, dict) and "_name_or_path" in told:
            del told["_name_or_path"]
            file.write_text(json.dumps(told, indent=2) + "\n", "utf-8")


def card(pipe: Any, figures: dict[str, Any], folder: Path) -> str:
    """The model card: the template with what was measured."""
    parts = (pipe.unet, pipe.vae, pipe.text_encoder)
    count = sum(parameter.numel() for part in parts for parameter in part.parameters())
    return (
        (HERE / "card.md")
        .read_text("utf-8")
        .format(
            **figures,
            side=pipe.unet.config.sample_size * pipe.vae_scale_factor,
            emoji=len(emoji(folder)),
            nearest=figures["nearest_emoji_is_the_one_asked"],
            missed=", ".join(figures["not_among_the_nearest_three"]) or "none",
            same="yes" if figures["same_seed_same_picture"] else "no",
            batch=BATCH,
            parameters=round(count / 1e6, 1),
            steps=STEPS,
            guidance=GUIDANCE,
        )
    )


def draw(pipe: Any, prompt: str, seed: int) -> Image.Image:
    """One picture at the default settings."""
    noise = torch.Generator("cpu").manual_seed(seed)
    made = pipe(prompt, num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=noise)
    return made.images[0]


def sheet(drawn: list[Image.Image], asked: list[str]) -> Image.Image:
    """All pictures with their prompts, six in a row."""
    side, line = drawn[0].width, 18
    rows = -(-len(drawn) // 6)
    page = Image.new("RGB", (6 * (side + 8), rows * (side + line + 8)), "white")
    pen = ImageDraw.Draw(page)
    for number, (picture, words) in enumerate(zip(drawn, asked, strict=True)):
        x, y = number % 6 * (side + 8), number // 6 * (side + line + 8)
        page.paste(picture, (x, y))
        pen.text((x + 4, y + side + 2), words, "black")
    return page


def nearest(
    drawn: list[Image.Image], asked: list[str], folder: Path, small: Callable[[Image.Image], Any] | None = None
) -> dict[str, Any]:
    """Of how many pictures the nearest plain emoji, by the colours of 16 x 16 points, bears the name asked for.

    `small`: a picture to those points, float32 (16, 16, 3); the whole picture's unless told.
    """
    small = small or _small
    count = 2 * len(emoji(folder))  # the plain pictures come first, two of each
    known = numpy.load(folder / "pictures.npy", mmap_mode="r")[:count:2]
    points = torch.from_numpy(numpy.stack([small(Image.fromarray(each)) for each in known]))
    names = [set(caption for caption in told) for told, _ in captions(folder)[:count:2]]
    hits = []
    for picture, prompt in zip(drawn, asked, strict=True):
        distance = (points - torch.from_numpy(small(picture))).square().mean((1, 2, 3))
        hits.append(any(prompt in names[int(i)] for i in distance.argsort()[:3]))
    missed = [prompt for prompt, hit in zip(asked, hits, strict=True) if not hit]
    return {"nearest_emoji_is_the_one_asked": f"{sum(hits)} of {len(hits)}", "not_among_the_nearest_three": missed}


def _small(picture: Image.Image) -> Any:
    return numpy.asarray(picture.convert("RGB").resize((16, 16), Image.Resampling.BOX), numpy.float32) / 255


def reconstruction(vae: Any, folder: Path) -> float:
    """Mean PSNR in dB of pictures that went through the autoencoder."""
    pixels = _sample(folder, 64)
    with torch.inference_mode():
        back = vae.decode(vae.encode(pixels).latents).sample.clamp(-1, 1)
    error = (back - pixels).square().mean((1, 2, 3))
    return round(float((10 * torch.log10(4 / error)).mean()), 2)


def _sample(folder: Path, count: int) -> Any:
    known = numpy.load(folder / "pictures.npy", mmap_mode="r")
    picked = numpy.random.RandomState(0).choice(len(known), count, replace=False)
    return torch.from_numpy(numpy.stack([known[i] for i in picked])).permute(0, 3, 1, 2).float() / 127.5 - 1


def fit_preview(vae: Any, folder: Path, into: Path) -> None:
    """Fit the linear decoder that shows unfinished pictures: 3 x 3 latents to 8 x 8 pixels, by least squares."""
    pixels = _sample(folder, 400)
    with torch.inference_mode():
        latents = torch.cat([vae.encode(batch).latents for batch in pixels.split(50)])
    patches = functional.unfold(functional.pad(latents, (1, 1, 1, 1), mode="replicate"), 3)
    inputs = patches.permute(0, 2, 1).reshape(-1, patches.shape[1])
    wanted = functional.pixel_unshuffle(pixels / 2 + 0.5, BLOCK).flatten(2).permute(0, 2, 1).reshape(len(inputs), -1)
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], 1)
    solved = torch.linalg.lstsq(inputs, wanted).solution
    weight = solved[:-1].T.reshape(-1, latents.shape[1], 3, 3).contiguous()
    into.mkdir(parents=True, exist_ok=True)
    save_file({"weight": weight, "bias": solved[-1].contiguous()}, into / "linear.safetensors")
