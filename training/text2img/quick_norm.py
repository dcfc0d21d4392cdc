"""Group normalisation and SiLU in one pass over memory, forwards and backwards, for training on a processor.

torch's own, on pictures whose channels lie last, took longer than the convolutions between them: 29 ms against 6 ms
here for (64, 64, 32, 32) in bfloat16, forwards and backwards. Same formula (Wu and He 2018, Group Normalization).
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.resnet import ResnetBlock2D
from torch import nn
from torch.nn import functional


def install(unet: nn.Module) -> None:
    """Have the residual blocks of `unet` normalise quickly. Parameters and results stay what they are."""
    torch._dynamo.config.recompile_limit = 500
    torch._dynamo.config.accumulated_recompile_limit = 5000
    for block in unet.modules():
        if isinstance(block, ResnetBlock2D):
            _hasten(block.norm1)
            _hasten(block.norm2)
            block.nonlinearity = _Already()
    _hasten(unet.conv_norm_out)
    unet.conv_act = _Already()


class _Already(nn.Module):
    """SiLU on the embedding of the time; pictures had theirs with the norm."""

    def forward(self, x: Any) -> Any:
        """As SiLU for what isn't a picture."""
        return functional.silu(x) if x.ndim == 2 else x


def _hasten(norm: Any) -> None:
    norm.forward = lambda x: _Norm.apply(_last(x), norm.weight, norm.bias, norm.num_groups, norm.eps)


def _last(x: Any) -> Any:
    return x.contiguous(memory_format=torch.channels_last)


def _rows(x: Any) -> Any:
    """A picture (n, c, h, w) as rows (n, h w, c)."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def _forwards(x: Any, weight: Any, bias: Any, groups: int, eps: float) -> Any:
    rows = _rows(x).float()
    count = x.numel() // len(x) // groups
    mean = rows.sum(1).view(len(x), groups, -1).sum(-1) / count
    square = (rows * rows).sum(1).view(len(x), groups, -1).sum(-1) / count
    scale = torch.rsqrt((square - mean * mean).clamp_min(0) + eps)
    each = x.shape[1] // groups
    mean, scale = mean.repeat_interleave(each, 1), scale.repeat_interleave(each, 1)
    normed = (rows - mean[:, None]) * scale[:, None] * weight + bias
    out = (normed * torch.sigmoid(normed)).to(x.dtype)
    return out.view(len(x), *x.shape[2:], -1).permute(0, 3, 1, 2), mean, scale


def _past_silu(slope: Any, x: Any, weight: Any, bias: Any, mean: Any, scale: Any) -> Any:
    """The slope before SiLU, and that times the normalised rows."""
    unit = (_rows(x).float() - mean[:, None]) * scale[:, None]
    normed = unit * weight + bias
    gate = torch.sigmoid(normed)
    slope = _rows(slope).float() * gate * (1 + normed * (1 - gate))
    return slope.to(x.dtype), (slope * unit).to(x.dtype)


def _past_norm(slope: Any, x: Any, weight: Any, mean: Any, scale: Any, level: Any, tilt: Any) -> Any:
    unit = (_rows(x).float() - mean[:, None]) * scale[:, None]
    out = ((slope.float() * weight - level[:, None] - unit * tilt[:, None]) * scale[:, None]).to(x.dtype)
    return out.view(len(x), *x.shape[2:], -1).permute(0, 3, 1, 2)


_forwards, _past_silu, _past_norm = (torch.compile(f, dynamic=False) for f in (_forwards, _past_silu, _past_norm))


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any, groups: int, eps: float) -> Any:
        out, mean, scale = _forwards(x, weight, bias, groups, eps)
        ctx.save_for_backward(x, weight, bias, mean, scale)
        ctx.groups = groups
        return out

    @staticmethod
    def backward(ctx: Any, slope: Any) -> Any:
        x, weight, bias, mean, scale = ctx.saved_tensors
        slope, tilted = _past_silu(_last(slope), x, weight, bias, mean, scale)
        one = torch.ones(len(x), 1, slope.shape[1], dtype=slope.dtype)  # sums by multiplying matrices: the fast unit
        for_bias, for_weight = torch.bmm(one, slope)[:, 0].float(), torch.bmm(one, tilted)[:, 0].float()
        groups, each = ctx.groups, x.shape[1] // ctx.groups
        count = slope.shape[1] * each
        level, tilt = (
            ((part * weight).view(len(x), groups, -1).sum(-1) / count).repeat_interleave(each, 1)
            for part in (for_bias, for_weight)
        )
        out = _past_norm(slope, x, weight, mean, scale, level, tilt)
        return out, for_weight.sum(0), for_bias.sum(0), None, None
