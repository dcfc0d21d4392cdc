"""Trains the motion module and the motions' codes, on the latents of clips; the image model stays as it is."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import clips
import denoiser
import torch
from diffusers import DDPMScheduler, DiffusionPipeline, MotionAdapter
from diffusers.models.attention_processor import AttnProcessor
from safetensors.torch import load_file, save_file

from shared.backends.diffusion.animation import CODES, PHRASES, motion_unet, share_noise
from training import stages

BATCH = 4  # clips
RATE, CODE_RATE = 3e-3, 1e-2
# Frames of a clip have much in common, so that it takes more noise to hide it than in one picture: the logarithm of
# signal to noise is lower by this than in the image's training.
NOISIER = 2.0
# Attention over time at 8 x 8 only, where the image model decides on the layout: at 16 x 16 as well, a step took 1.4
# times as long.
SHAPE: dict[str, Any] = {
    "motion_layers_per_block": 1,
    "motion_transformer_layers_per_block": (0, 1),
    "motion_num_attention_heads": 4,
    "motion_max_seq_length": 16,
}


def build(unet: Any) -> MotionAdapter:
    """The untrained module for an image model's U-Net: it adds nothing yet, and each frame attends to itself first.

    In its first attention queries and keys are the same map, so that a frame finds itself by its features and its
    place; in the second they are random and small, so that all frames are averaged. What must be learnt is what to do.
    """
    same = {"block_out_channels": unet.config.block_out_channels, "motion_norm_num_groups": unet.config.norm_num_groups}
    adapter = MotionAdapter(**same, **SHAPE)
    with torch.no_grad():
        for name, value in adapter.named_parameters():
            if "proj_out" in name:
                value.zero_()
            elif name.endswith(("attn1.to_q.weight", "attn1.to_k.weight")):
                value.copy_(0.7 * torch.eye(len(value)))
            elif name.endswith("proj_in.weight"):
                torch.nn.init.orthogonal_(value)
    return adapter


class Trainer:
    """The models, their optimizer, their running averages, and how far they are."""

    def __init__(self, folder: Path, image_folder: Path, rate: float = RATE, hasten: bool = True) -> None:
        self.folder, self.rate = folder, rate
        self.pipe = DiffusionPipeline.from_pretrained(image_folder, dtype=torch.float32)
        self.latents, self.told = _latents(self.pipe.vae, folder)
        self.draw = random.Random()
        self.adapter = build(self.pipe.unet)
        self.unet = motion_unet(self.pipe.unet, self.adapter, self.pipe.tokenizer.model_max_length).to(
            memory_format=torch.channels_last
        )
        self.unet.set_attn_processor(AttnProcessor())  # torch's flash attention is slow backwards on a processor
        self.pipe.text_encoder.set_attn_implementation("eager")
        if hasten and (shutil.which("c++") or shutil.which("g++")):
            import quick_norm

            quick_norm.install(self.unet)
        self.pipe.text_encoder.requires_grad_(False)
        self.unet.requires_grad_(False)
        self.moving = {n: p.requires_grad_() for n, p in self.unet.named_parameters() if moves(n)}
        width, motions = self.pipe.unet.config.cross_attention_dim, clips.table()["motions"]
        self.codes = (0.3 * torch.randn(len(motions), clips.table()["frames"], width)).requires_grad_()
        self.motions = [list(motions).index(motion) for _, motion in self.told]
        self.parameters = [*self.moving.values(), self.codes]
        self.average = [p.detach().clone() for p in self.parameters]
        self.optimizers = self._optimizers()
        self.steps = 0
        self.alphas = DDPMScheduler(**denoiser.SCHEDULE).alphas_cumprod
        self.moments = denoiser.moments(self.alphas, middle=-NOISIER)
        self._restore()
        self.begun = self.steps

    def _optimizers(self) -> list[Any]:
        """Of matrices by Muon (Jordan 2024), which learns more from few steps; of all else by AdamW."""
        matrices = [p for p in self.moving.values() if p.ndim == 2]
        others = [p for p in self.moving.values() if p.ndim != 2]
        rows = [{"params": others, "times": 1.0}, {"params": [self.codes], "times": CODE_RATE / RATE}]
        return [
            torch.optim.AdamW(rows, self.rate, betas=(0.9, 0.98), weight_decay=0.0),
            torch.optim.Muon(matrices, self.rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        ]

    def step(self, rate: float) -> float:
        """One batch; returns the loss."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * group.get("times", 1.0) * min(1.0, (self.steps - self.begun + 1) / 30)
        picked = torch.randint(0, len(self.latents), (BATCH,))
        clean = self.latents[picked].float().transpose(1, 2)  # n, c, frames, h, w
        noise = share_noise(torch.randn_like(clean), torch.randn_like(clean[:, :, :1]))
        when = torch.multinomial(self.moments, BATCH, replacement=True)
        kept = self.alphas[when].view(-1, 1, 1, 1, 1)
        noisy = kept.sqrt() * clean + (1 - kept).sqrt() * noise
        target = kept.sqrt() * noise - (1 - kept).sqrt() * clean
        with torch.autocast("cpu", torch.bfloat16):
            told = self._told([int(i) for i in picked])
            out = self.unet(noisy, when, encoder_hidden_states=told.repeat_interleave(clean.shape[2], 0)).sample
        loss = (out.float() - target).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.steps += 1
        decay = min(0.995, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - decay)
        return float(loss.detach())

    def _told(self, picked: list[int]) -> Any:
        """What clips are called, as the U-Net is told it: the words, then the motion's code. Sometimes nothing."""
        untold = [self.draw.random() < denoiser.UNTOLD for _ in picked]
        names = ["" if no else self.draw.choice(self.told[i][0]) for i, no in zip(picked, untold, strict=True)]
        tokenizer, encoder = self.pipe.tokenizer, self.pipe.text_encoder
        settings = {"padding": "max_length", "truncation": True, "return_tensors": "pt"}
        with torch.no_grad():
            ids = tokenizer(names, max_length=tokenizer.model_max_length, **settings).input_ids
            words = encoder(ids).last_hidden_state
        codes = self.codes[[self.motions[i] for i in picked]] * (~torch.tensor(untold)).float().view(-1, 1, 1)
        return torch.cat([words, codes.to(words.dtype)], 1)

    def save(self) -> None:
        """Write the state to go on from, and the module of the averages as diffusers loads it."""
        state = {
            "moving": {n: p.detach() for n, p in self.moving.items()},
            "codes": self.codes.detach(),
            "average": self.average,
            "optimizers": [o.state_dict() for o in self.optimizers],
            "steps": self.steps,
        }
        file = self.folder / "state.pt"
        torch.save(state, file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)
        values = dict(zip(self.moving, self.average, strict=False))
        self.adapter.load_state_dict({**self.adapter.state_dict(), **values})
        self.adapter.save_pretrained(self.folder / "module", safe_serialization=True)
        motions = clips.table()["motions"]
        codes = {motion: code.contiguous() for motion, code in zip(motions, self.average[-1], strict=True)}
        save_file(codes, self.folder / "module" / CODES)
        (self.folder / "module" / PHRASES).write_text(json.dumps(motions, indent=2) + "\n", "utf-8")

    def _restore(self) -> None:
        file = self.folder / "state.pt"
        if not file.is_file():
            return
        state = torch.load(file, weights_only=True)
        with torch.no_grad():
            for name, value in state["moving"].items():
                self.moving[name].copy_(value)
            self.codes.copy_(state["codes"])
        self.average, self.steps = state["average"], state["steps"]
        for optimizer, held in zip(self.optimizers, state.get("optimizers", ()), strict=False):
            optimizer.load_state_dict(held)


def train(folder: Path, image_folder: Path, minutes: float) -> None:
    """Train for so long; the rate sinks in the last third. Goes on from the last state."""
    trainer = Trainer(folder, image_folder)
    stages.train(
        trainer, minutes, lambda left: trainer.rate * min(1.0, 0.02 + left / 0.35),
        name="module", each=BATCH, what="clips", told_every=20,
    )  # fmt: skip


def moves(name: str) -> bool:
    """Whether a weight is of the module's parts that attend over time. Those at 16 x 16 don't, and add nothing."""
    return "motion_modules" in name and not name.startswith(("down_blocks.0", "up_blocks.1"))


def _latents(vae: Any, folder: Path) -> tuple[Any, list[tuple[list[str], str]]]:
    """Latents of the clips at unit size, float16 (n, frames, 4, 16, 16), and what each is called."""
    file = folder / "clips.safetensors"
    return load_file(file)["latents"], json.loads((folder / "clips.json").read_text("utf-8"))


def encode(vae: Any, pixels: Any) -> Any:
    """Latents at unit size of frames uint8 (frames, 128, 128, 3): float16 (frames, 4, 16, 16)."""
    frames = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        return (vae.encode(frames).latents.float() * vae.config.scaling_factor).half().contiguous()
