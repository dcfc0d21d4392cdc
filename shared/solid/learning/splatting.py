"""Gaussian splats learned from pictures: every splat is drawn, compared, and moved a little, all by gradients.

After Kerbl et al., "3D Gaussian Splatting" (SIGGRAPH 2023), without its tiles and its splitting of splats: at this size
every splat meets every pixel, in plain torch.
"""

from __future__ import annotations

import math
from typing import Any

from shared.solid.learning.views import Views
from shared.solid.splats import Splats

_RATES = {"centres": 0.02, "scales": 0.03, "turns": 0.02, "colours": 0.04, "opacities": 0.06}
_ZOOM = 0.98  # of the pictures: see rendering.projected


class SplatScene:
    """`count` splats, at first small grey ones anywhere in the ball."""

    def __init__(self, count: int, seed: int = 0) -> None:
        import torch

        noise = torch.Generator().manual_seed(seed)
        places = torch.randn(count, 3, generator=noise)
        far = torch.rand(count, 1, generator=noise) ** (1 / 3) * 0.75
        width = 0.9 / count ** (1 / 3)
        self._values = {
            "centres": places / places.norm(dim=1, keepdim=True) * far,
            "scales": torch.full((count, 3), math.log(width)),
            "turns": torch.randn(count, 4, generator=noise),
            "colours": torch.zeros(count, 3),
            "opacities": torch.full((count,), -1.0),
        }
        groups = [{"params": [value.requires_grad_()], "lr": _RATES[name]} for name, value in self._values.items()]
        self._optimizer = torch.optim.Adam(groups)

    @property
    def size(self) -> int:
        """How many numbers are learned."""
        return sum(value.numel() for value in self._values.values())

    def learn(self, views: Views, number: int) -> float:
        """One step, by one of the views; the loss."""
        import torch

        wanted = torch.from_numpy(views.pictures[number])
        seen = self._drawn(torch.from_numpy(views.turns[number]), wanted.shape[0])
        loss = (seen - wanted).abs().mean() + ((seen - wanted) ** 2).mean()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        return float(loss.detach())

    def seen(self, turn: Any, side: int) -> Any:
        """A picture (side, side, 3) float32."""
        import torch

        with torch.no_grad():
            return self._drawn(torch.from_numpy(turn), side).clamp(0, 1).numpy()

    def _drawn(self, turn: Any, side: int) -> Any:
        """From front to back, each splat covers what is left of the light by its bell and its opacity."""
        import torch

        values = self._values
        places = values["centres"] @ turn.T
        order = torch.argsort(places[:, 2], descending=True)
        axes = turn @ _matrices(values["turns"]) * values["scales"].exp()[:, None, :]
        spread = (axes @ axes.transpose(1, 2))[order, :2, :2]
        spread = spread + torch.eye(2) * (0.7 / side) ** 2  # no splat is thinner than a pixel
        middles = torch.linspace(-1, 1, side + 1)[:-1] + 1 / side
        row, column = torch.meshgrid(-middles, middles, indexing="ij")
        points = torch.stack([column, row], dim=-1).reshape(-1, 1, 2) / _ZOOM
        off = points - places[order, :2]
        a, b, c = spread[:, 0, 0], spread[:, 0, 1], spread[:, 1, 1]
        x, y = off[..., 0], off[..., 1]
        power = -0.5 * (c * x * x - 2 * b * x * y + a * y * y) / (a * c - b * b)
        cover = (values["opacities"][order].sigmoid() * power.exp()).clamp(max=0.99)
        hidden = torch.log1p(-cover)  # a sum of logarithms: a product's gradients take many times as long
        behind = hidden.cumsum(dim=1)
        colours = (cover * (behind - hidden).exp()) @ values["colours"][order].sigmoid()
        return (colours + behind[:, -1:].exp()).reshape(side, side, 3)  # on white

    def splats(self) -> Splats:
        """What was learned."""
        import torch

        with torch.no_grad():
            turns = torch.nn.functional.normalize(self._values["turns"], dim=1)
            return Splats(
                centres=self._values["centres"].numpy().copy(),
                scales=self._values["scales"].exp().numpy(),
                turns=turns.numpy(),
                colours=self._values["colours"].sigmoid().numpy(),
                opacities=self._values["opacities"].sigmoid().numpy(),
            )


def _matrices(quaternions: Any) -> Any:
    """Rotations (n, 3, 3) of quaternions (n, 4), w first, of any length."""
    import torch

    w, x, y, z = torch.nn.functional.normalize(quaternions, dim=1).unbind(dim=1)
    rows = [
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], dim=1),
        torch.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], dim=1),
        torch.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], dim=1),
    ]
    return torch.stack(rows, dim=1)
