"""Trains the autoencoder: pictures of 128 px to latents (4, 16, 16) and back, in diffusers' `AutoencoderTiny`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny
from torch.nn import functional

CHANNELS, WIDTH = 4, 64  # Stable Diffusion's four: diffusers' inpainting takes no other number
CROP, BATCH = 64, 32
NOISE = 0.15  # what the decoder must forgive: a denoiser's latents are never quite right


def build() -> AutoencoderTiny:
    """The untrained autoencoder."""
    return AutoencoderTiny(
        latent_channels=CHANNELS,
        encoder_block_out_channels=(WIDTH,) * 4,
        decoder_block_out_channels=(WIDTH,) * 4,
        num_encoder_blocks=(0, 1, 3, 3),
        num_decoder_blocks=(3, 3, 1, 1),
    )


def train(pictures: Any, folder: Path, steps: int) -> None:
    """Train on crops of `pictures`, uint8 (n, 128, 128, 3), up to `steps`; goes on from what `folder` holds."""
    model = build().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, betas=(0.9, 0.99), weight_decay=0.0)
    state_file, done = folder / "autoencoder-state.pt", 0
    if state_file.is_file():
        state = torch.load(state_file, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        done = state["steps"]
    pixels, begun = torch.from_numpy(pictures), time.monotonic()
    for step in range(done, steps):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1, (step + 1) / 100, max(0.02, 1.5 * (1 - step / steps)))
        loss = _loss(model, _crops(pixels))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 100 == 99:
            print(f"autoencoder {step + 1}/{steps} loss {loss.item():.4f} {time.monotonic() - begun:.0f} s", flush=True)
        if step % 500 == 499 or step + 1 == steps:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "steps": step + 1}
            torch.save(state, state_file.with_suffix(".part"))
            state_file.with_suffix(".part").replace(state_file)
    model.eval().to(memory_format=torch.contiguous_format).save_pretrained(folder / "vae")


def _crops(pixels: Any) -> Any:
    """A batch of (32, 3, 64, 64) in -1..1 with its channels shuffled now and then: colours of every kind."""
    picked = torch.randint(0, len(pixels), (BATCH,))
    corners = torch.randint(0, pixels.shape[1] - CROP + 1, (BATCH, 2))
    crops = [pixels[i, y : y + CROP, x : x + CROP] for i, (y, x) in zip(picked, corners.tolist(), strict=True)]
    batch = torch.stack(crops).permute(0, 3, 1, 2).float() / 127.5 - 1
    batch[: BATCH // 4] = batch[: BATCH // 4, torch.randperm(3)]
    batch[::2] = batch[::2].flip(-1)
    return batch.contiguous(memory_format=torch.channels_last)


def _loss(model: Any, batch: Any) -> Any:
    """Distance in pixels and in edges; latents are held near unit size."""
    with torch.autocast("cpu", torch.bfloat16):
        latents = model.encode(batch).latents
        noisy = latents + NOISE * torch.rand(BATCH, 1, 1, 1) * torch.randn_like(latents)
        out = model.decode(noisy).sample
    out, latents = out.float(), latents.float()
    pixel = functional.l1_loss(out, batch) + 2 * functional.mse_loss(out, batch)
    edges = sum((out.diff(dim=d) - batch.diff(dim=d)).abs().mean() for d in (-1, -2))
    size = (latents.square().mean((0, 2, 3)) - 1).square().mean() + latents.mean((0, 2, 3)).square().mean()
    return pixel + edges + 0.01 * size
