"""Animates the image starter: its own parts and a motion module, as diffusers' `AnimateDiffPipeline`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.backends.diffusion.folder import check_folder
from shared.backends.diffusion.loading import SAFE
from shared.errors import CorruptWeights
from shared.weights import check_weights, refuse_pickle

# The motion module's files: diffusers' own, the motions' codes, and what a prompt may call them
ADAPTER, CODES, PHRASES = "diffusion_pytorch_model.safetensors", "motions.safetensors", "motions.json"
# The share of the first noise's variance that all frames have in common: the things drawn in them are then the same to
# begin with, and the module adds their motion. It was trained so (Ge et al. 2023, Preserve Your Own Correlation).
SHARED_NOISE = 0.8


@dataclass(frozen=True)
class Motions:
    """The motions that a module was taught. `phrases`: how a prompt says each. `codes`: each one's (frames, width).

    The image model never read such words, and what it makes of them is lost among all others: so they are looked up
    here, and it reads the rest of the prompt.
    """

    phrases: Mapping[str, Sequence[str]]
    codes: Mapping[str, Any]

    def split(self, prompt: str) -> tuple[str, list[str]]:
        """The prompt without the motions, and the motions' names: "a cat moving left" -> "a cat", ["left"]."""
        known = {phrase: name for name, phrases in self.phrases.items() for phrase in phrases}
        ways = "|".join(re.escape(phrase) for phrase in sorted(known, key=len, reverse=True))
        found = re.compile(rf"(?:\b(?:that is|which is|is|and|while)\s+)?\b({ways})\b", re.IGNORECASE)
        named = [known[match.lower()] for match in found.findall(prompt)]
        rest = " ".join(found.sub(" ", prompt).split()).strip(" ,.;")
        return rest, list(dict.fromkeys(named))

    def code(self, prompts: Sequence[str]) -> tuple[list[str], Any]:
        """The prompts without their motions, and the sums of these motions' codes (prompts, frames, width)."""
        import torch

        rests, named = zip(*(self.split(prompt) for prompt in prompts), strict=True)
        nothing = torch.zeros_like(next(iter(self.codes.values())))
        return list(rests), torch.stack([sum((self.codes[name] for name in names), nothing) for names in named])


def animated_starter(image_folder: Path, motion_folder: Path, dtype: Any = None) -> Any:
    """An `AnimateDiffPipeline` of the image model's parts and of the motion module in `motion_folder`.

    `dtype`: of torch, float32 unless told. Raises `CorruptWeights`, `BackendError` as `check_folder` does.
    """
    import diffusers
    import torch

    check_folder(image_folder, image_folder.name)
    dtype = dtype or torch.float32
    motions = read_motions(motion_folder)
    read: Any = diffusers.DiffusionPipeline.from_pretrained
    still = read(image_folder, dtype=dtype, **SAFE)
    # The adapter's reader knows no trust_remote_code: a model's class never runs any.
    only = {name: value for name, value in SAFE.items() if name != "trust_remote_code"}
    kind: Any = diffusers.MotionAdapter
    return animate(still, kind.from_pretrained(motion_folder, dtype=dtype, **only), motions)


def read_motions(folder: Path) -> Motions:
    """The motions of a module's folder, which is looked over. Raises `CorruptWeights`."""
    from safetensors.torch import load_file

    for file in sorted(folder.iterdir()):
        refuse_pickle(file)
    for name in (ADAPTER, CODES, PHRASES):
        if not (folder / name).is_file():
            raise CorruptWeights(f"{folder.name} lacks {name}. Download or make the model again.")
        check_weights(folder / name)
    try:
        phrases = json.loads((folder / PHRASES).read_text("utf-8"))
    except ValueError as error:
        raise CorruptWeights(f"{PHRASES} of {folder.name} can't be read. Download the model again.") from error
    codes = load_file(folder / CODES)
    if set(phrases) != set(codes):
        raise CorruptWeights(f"{PHRASES} and {CODES} of {folder.name} don't fit together. Download the model again.")
    return Motions(phrases, codes)


def animate(still: Any, adapter: Any, motions: Motions) -> Any:
    """The `AnimateDiffPipeline` of an image pipeline's parts, which reads motions in its prompts."""
    unet = motion_unet(still.unet, adapter, still.tokenizer.model_max_length)
    parts = {name: getattr(still, name) for name in ("vae", "text_encoder", "tokenizer", "scheduler")}
    made = _pipeline_kind()(**parts, unet=unet, motion_adapter=adapter)
    made.motions = motions
    made.set_progress_bar_config(disable=True)
    return made


def motion_unet(unet: Any, adapter: Any, read: int) -> Any:
    """The image model's U-Net with the adapter's modules.

    `read`: so many rows of what it is told are words; those that follow are the motion's code, a row for each frame,
    and are added to what the modules see. diffusers' `UNetMotionModel` leaves out, and doesn't say so, what a U-Net of
    `addition_embed_type` "text" adds to the time, the sum of the words: that is put back here as well.
    """
    import diffusers
    from torch.nn import functional

    made = diffusers.UNetMotionModel.from_unet2d(unet, adapter)
    if unet.config.addition_embed_type == "text":
        made.add_embedding = unet.add_embedding
    heard: dict[str, Any] = {}

    def hear(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        sample = args[0] if args else kwargs["sample"]
        told, frames = kwargs["encoder_hidden_states"], sample.shape[2]
        each = told[:: len(told) // len(sample)]  # a row for each frame of each clip, those of one clip alike
        code = each[:, read:].transpose(1, 2)
        if code.shape[2] not in (0, frames):
            code = functional.interpolate(code, frames, mode="linear", align_corners=True)
        heard["words"], heard["code"] = each[:, :read], code.transpose(1, 2)
        return args, {**kwargs, "encoder_hidden_states": told[:, :read]}

    def add_words(_: Any, args: Any, time: Any) -> Any:
        return time + made.add_embedding(heard["words"])

    def add_code(_: Any, args: Any, seen: Any) -> Any:
        code = heard["code"]
        return seen + code.repeat_interleave(len(seen) // len(code), 0) if code.shape[1] else seen

    made.register_forward_pre_hook(hear, with_kwargs=True)
    if unet.config.addition_embed_type == "text":
        made.time_embedding.register_forward_hook(add_words)
    width = unet.config.cross_attention_dim
    for name, part in made.named_modules():
        if "motion_modules" in name and name.endswith("proj_in") and part.out_features == width:
            part.register_forward_hook(add_code)
    return made


def share_noise(noise: Any, common: Any) -> Any:
    """Noise of frames (n, c, frames, h, w), of which `common` (n, c, 1, h, w) takes its share."""
    return (1 - SHARED_NOISE) ** 0.5 * noise + SHARED_NOISE**0.5 * common


@cache
def _pipeline_kind() -> Any:
    """AnimateDiff's pipeline, which draws its first noise as the module was taught, and looks motions up."""
    import diffusers
    import torch
    from diffusers.utils.torch_utils import randn_tensor

    base: Any = diffusers.AnimateDiffPipeline

    class StarterAnimation(base):  # type: ignore[misc]
        """AnimateDiff with noise that its frames share in part. What else it does is diffusers' own."""

        motions: Motions

        def encode_prompt(
            self, prompt: Any, device: Any, count: int, guided: bool, negative_prompt: Any = None, **more: Any
        ) -> Any:
            """As diffusers does, of the prompts without their motions; the motions' codes follow the words."""
            if prompt is None:
                return super().encode_prompt(prompt, device, count, guided, negative_prompt, **more)
            prompts = [prompt] if isinstance(prompt, str) else list(prompt)
            unwanted = [negative_prompt or ""] if not isinstance(negative_prompt, list) else negative_prompt
            rests, code = self.motions.code(prompts)
            others, other_code = self.motions.code(unwanted * (len(prompts) // len(unwanted)))
            told, untold = super().encode_prompt(rests, device, count, guided, others, **more)

            def joined(words: Any, codes: Any) -> Any:
                return torch.cat([words, codes.repeat_interleave(count, 0).to(words)], 1)

            return joined(told, code), None if untold is None else joined(untold, other_code)

        def prepare_latents(self, *args: Any, **kwargs: Any) -> Any:
            made: Any = super().prepare_latents(*args, **kwargs)
            # diffusers' order: batch, channels, frames, height, width, dtype, device, generator, latents
            *_, dtype, device, generator, given = args
            if given is not None:
                return made
            shape = (*made.shape[:2], 1, *made.shape[3:])
            common = randn_tensor(shape, generator=generator, device=device, dtype=dtype)
            return share_noise(made, common * self.scheduler.init_noise_sigma)

    return StarterAnimation
