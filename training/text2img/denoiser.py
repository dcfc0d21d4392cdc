"""Trains the text encoder and the U-Net together, on the latents of the training pictures, to predict velocity."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy
import torch
from diffusers import (
    AutoencoderTiny,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTextModel, CLIPTokenizer
from wording import WIDTH, build_encoder, learn_tokenizer

from training import stages

BATCH, RATE = 64, 8e-4
# How noisy the training pictures are: mostly with a logarithm of signal to noise around 0, of deviation 2, where shapes
# are decided (Esser et al. 2024, rectified flow's logit-normal moments), and sometimes anyhow.
DEVIATION, ANYHOW = 2.0, 0.15
UNTOLD = 0.1  # share of pictures trained without a caption, for guidance
SCHEDULE: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "num_train_timesteps": 1000,
}


def build() -> UNet2DConditionModel:
    """The untrained U-Net: convolutions at 16 x 16, attention at 8 x 8; the words also add to the time embedding.

    What they add reaches every block at once, and is what makes the words count within the first thousand steps.
    """
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(128, 256),
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        attention_head_dim=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
    )


class Trainer:
    """The models, their optimizer, their running averages, and how far they are."""

    def __init__(self, folder: Path, captions: list[tuple[list[str], float]]) -> None:
        self.folder = folder
        self.vae = AutoencoderTiny.from_pretrained(folder / "vae")
        self.latents = _latents(self.vae, folder)
        if not (folder / "tokenizer").is_dir():
            learn_tokenizer(c for names, _ in captions for c in names).save_pretrained(folder / "tokenizer")
        self.tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        self.encoder, self.unet = build_encoder(self.tokenizer), build().to(memory_format=torch.channels_last)
        self.unet.set_attn_processor(AttnProcessor())  # torch's flash attention is slow backwards on a processor
        self.encoder.set_attn_implementation("eager")
        if shutil.which("c++") or shutil.which("g++"):
            import quick_norm

            quick_norm.install(self.unet)
        self.parameters = [*self.encoder.parameters(), *self.unet.parameters()]
        self.average = [p.detach().clone() for p in self.parameters]
        self.optimizer = torch.optim.AdamW(self.parameters, RATE, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
        self.steps = 0
        self.alphas = DDPMScheduler(**SCHEDULE).alphas_cumprod
        self.moments = moments(self.alphas)
        self.weights = torch.tensor([weight for _, weight in captions])
        self.tokens = [self._ids(names) for names, _ in captions]
        self.untold = self._ids([""])
        self._restore()
        self.begun = self.steps  # the rate rises anew after each start

    def _ids(self, names: list[str]) -> Any:
        settings = {"padding": "max_length", "truncation": True, "return_tensors": "pt"}
        return self.tokenizer(names, max_length=self.tokenizer.model_max_length, **settings).input_ids

    def step(self, rate: float) -> float:
        """One batch; returns the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * min(1.0, (self.steps - self.begun + 1) / 200)
        picked = torch.multinomial(self.weights, BATCH, replacement=True)
        side = torch.randint(0, 2, (BATCH,))
        clean = self.latents[side, picked].float()
        ids = torch.stack([self._caption(int(i)) for i in picked])
        noise, when = torch.randn_like(clean), torch.multinomial(self.moments, BATCH, replacement=True)
        kept = self.alphas[when].view(-1, 1, 1, 1)
        noisy = (kept.sqrt() * clean + (1 - kept).sqrt() * noise).contiguous(memory_format=torch.channels_last)
        target = kept.sqrt() * noise - (1 - kept).sqrt() * clean
        with torch.autocast("cpu", torch.bfloat16):
            told = self.encoder(ids).last_hidden_state
            out = self.unet(noisy, when, told).sample
        loss = (out.float() - target).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.steps += 1
        decay = min(0.999, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - decay)
        return float(loss.detach())

    def _caption(self, index: int) -> Any:
        if torch.rand(()) < UNTOLD:
            return self.untold[0]
        names = self.tokens[index]
        return names[int(torch.randint(0, len(names), ()))]

    def save(self) -> None:
        """Write the state to go on from, and the pipeline of the averages."""
        state = {
            "encoder": self.encoder.state_dict(),
            "unet": self.unet.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "steps": self.steps,
        }
        file = self.folder / "denoiser-state.pt"
        torch.save(state, file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)
        kept = [p.detach().clone() for p in self.parameters]
        self._load(self.average)
        self.pipeline().save_pretrained(self.folder / "pipeline", safe_serialization=True)
        self._load(kept)

    def _load(self, values: list[Any]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self.parameters, values, strict=True):
                parameter.copy_(value)

    def _restore(self) -> None:
        file = self.folder / "denoiser-state.pt"
        if not file.is_file():
            return
        state = torch.load(file, weights_only=True)
        self.encoder.load_state_dict(state["encoder"])
        self.unet.load_state_dict(state["unet"])
        self.average, self.steps = state["average"], state["steps"]
        if "optimizer" in state:
            self.optimizer.load_state_dict(state["optimizer"])

    def pipeline(self) -> StableDiffusionPipeline:
        """The whole, as diffusers saves and loads it."""
        return StableDiffusionPipeline(
            vae=self.vae,
            text_encoder=self.encoder,
            tokenizer=self.tokenizer,
            unet=self.unet,
            scheduler=DPMSolverMultistepScheduler(**SCHEDULE, timestep_spacing="trailing", steps_offset=1),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )


def train(folder: Path, captions: list[tuple[list[str], float]], minutes: float) -> None:
    """Train for so long; the rate sinks in the last fifth. Goes on from the last state."""
    stages.train(
        Trainer(folder, captions), minutes, lambda left: RATE * min(1.0, 0.05 + left / 0.2),
        name="denoiser", each=BATCH, what="pictures", told_every=100,
    )  # fmt: skip


def begin_from(shipped: Path, folder: Path) -> None:
    """Take a finished pipeline's parts as the state to go on from, where there is none: the optimizer begins anew."""
    if (folder / "denoiser-state.pt").is_file():
        return
    for part in ("vae", "tokenizer"):
        shutil.copytree(shipped / part, folder / part, dirs_exist_ok=True)
    encoder = CLIPTextModel.from_pretrained(shipped / "text_encoder", torch_dtype=torch.float32)
    unet = UNet2DConditionModel.from_pretrained(shipped / "unet", torch_dtype=torch.float32)
    steps = json.loads((shipped / "figures.json").read_text("utf-8"))["steps_trained"]
    average = [p.detach().clone() for p in (*encoder.parameters(), *unet.parameters())]
    state = {"encoder": encoder.state_dict(), "unet": unet.state_dict(), "average": average, "steps": steps}
    torch.save(state, folder / "denoiser-state.pt")


def _latents(vae: Any, folder: Path) -> Any:
    """Latents of every picture and of its mirror image, at unit size: float16 (2, n, 4, 16, 16)."""
    file = folder / "latents.pt"
    if not file.is_file():
        pictures = torch.from_numpy(numpy.load(folder / "pictures.npy"))
        with torch.inference_mode():
            sides = [[_encode(vae, batch, side) for batch in pictures.split(64)] for side in (False, True)]
        torch.save(torch.stack([torch.cat(side) for side in sides]).half(), file)
    latents = torch.load(file, weights_only=True)
    factor = round(1 / float(latents.float().std()), 4)
    vae.register_to_config(scaling_factor=factor)
    return latents * factor


def moments(alphas: Any, middle: float = 0.0) -> Any:
    """How probable each of the training's time steps is: float32 (1000,). `middle`: of log(signal / noise)."""
    ratio = (alphas / (1 - alphas)).log()
    step = torch.gradient(ratio)[0].abs()
    normal = torch.exp(-0.5 * ((ratio - middle) / DEVIATION).square()) * step
    return (1 - ANYHOW) * normal / normal.sum() + ANYHOW / len(ratio)


def _encode(vae: Any, batch: Any, mirrored: bool) -> Any:
    pixels = batch.permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.autocast("cpu", torch.bfloat16):
        return vae.encode(pixels.flip(-1) if mirrored else pixels).latents.half()
