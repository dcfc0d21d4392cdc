"""Gaussian splats learned from pictures: every splat is drawn, compared, and moved a little, all by gradients.

After Kerbl et al., "3D Gaussian Splatting" (SIGGRAPH 2023), without its tiles and its splitting of splats: at this size
every splat meets every pixel, in plain torch. `gpu.py` has gsplat draw them.
"""

from __future__ import annotations

import math
from typing import Any

from shared.solid.learning.cameras import NEAR, Camera, middles
from shared.solid.learning.views import Taken, Views
from shared.solid.splats import Splats

_RATES = {"centres": 0.02, "scales": 0.03, "turns": 0.02, "colours": 0.04, "opacities": 0.06}
_BALL = 0.75  # of the scene's: where splats begin
_FEWEST = 50  # known places in the ball that splats begin at, rather than anywhere
_WIDEST = 1.3  # of the picture: beyond it a splat's outline is drawn as it is there


class SplatScene:
    """`count` splats, at first small grey ones anywhere in the ball, or at the places that `taken` knows of."""

    def __init__(self, count: int, seed: int = 0, taken: Taken | None = None, device: str = "cpu") -> None:
        import torch

        noise = torch.Generator().manual_seed(seed)
        places = torch.randn(count, 3, generator=noise)
        far = torch.rand(count, 1, generator=noise) ** (1 / 3) * _BALL
        centres, colours = places / places.norm(dim=1, keepdim=True) * far, torch.zeros(count, 3)
        turns = torch.randn(count, 4, generator=noise)
        _begin_at(taken, centres, colours, noise)
        self._values = {
            "centres": centres,
            "scales": torch.full((count, 3), math.log(0.9 / count ** (1 / 3))),
            "turns": turns,
            "colours": colours,
            "opacities": torch.full((count,), -1.0),
        }
        self._device = torch.device(device)
        self._values = {name: value.to(self._device) for name, value in self._values.items()}
        groups = [{"params": [value.requires_grad_()], "lr": _RATES[name]} for name, value in self._values.items()]
        self._optimizer = torch.optim.Adam(groups)

    @property
    def size(self) -> int:
        """How many numbers are learned."""
        return sum(value.numel() for value in self._values.values())

    def learn(self, views: Views, number: int) -> float:
        """One step, by one of the views; the loss."""
        import torch

        wanted = torch.from_numpy(views.pictures[number]).to(self._device)
        seen = self._drawn(views.cameras[number], wanted.shape[0])
        loss = (seen - wanted).abs().mean() + ((seen - wanted) ** 2).mean()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        return float(loss.detach())

    def seen(self, camera: Camera, side: int) -> Any:
        """A picture (side, side, 3) float32."""
        import torch

        with torch.no_grad():
            return self._drawn(camera, side).clamp(0, 1).cpu().numpy()

    def _drawn(self, camera: Camera, side: int) -> Any:
        """From front to back, each splat covers what is left of the light by its bell and its opacity."""
        import torch

        values = self._values
        turn, shift = (torch.as_tensor(each, dtype=torch.float32) for each in (camera.turn, camera.shift))
        places = values["centres"] @ turn.T + shift
        order = torch.argsort(places[:, 2], descending=True)
        axes = turn @ matrices(values["turns"]) * values["scales"].exp()[:, None, :]
        middle, spread = _flat(places[order], (axes @ axes.transpose(1, 2))[order], camera)
        spread = spread + torch.eye(2) * (0.7 / side) ** 2  # no splat is thinner than a pixel
        across, up = (torch.from_numpy(each).float() for each in middles(side))
        row, column = torch.meshgrid(up, across, indexing="ij")
        off = torch.stack([column, row], dim=-1).reshape(-1, 1, 2) - middle
        a, b, c = spread[:, 0, 0], spread[:, 0, 1], spread[:, 1, 1]
        x, y = off[..., 0], off[..., 1]
        power = -0.5 * (c * x * x - 2 * b * x * y + a * y * y) / (a * c - b * b)
        cover = (values["opacities"][order].sigmoid() * power.exp()).clamp(max=0.99)
        if camera.perspective:
            cover = cover * (places[order, 2] < -NEAR)
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
                centres=self._values["centres"].cpu().numpy().copy(),
                scales=self._values["scales"].exp().cpu().numpy(),
                turns=turns.cpu().numpy(),
                colours=self._values["colours"].sigmoid().cpu().numpy(),
                opacities=self._values["opacities"].sigmoid().cpu().numpy(),
            )


def _begin_at(taken: Taken | None, centres: Any, colours: Any, noise: Any) -> None:
    """Put the splats at known places in the ball, with the colours that are known there."""
    import torch

    if taken is None or taken.points is None:
        return
    points, worn = (torch.as_tensor(each, dtype=torch.float32) for each in (taken.points, taken.colours))
    near = points.norm(dim=1) < 1
    if near.sum() < _FEWEST:
        return
    points, worn = points[near], worn[near].clamp(0.02, 0.98)
    chosen = torch.randperm(len(points), generator=noise)[: len(centres)]
    centres[: len(chosen)], colours[: len(chosen)] = points[chosen], worn[chosen].logit()


def _flat(places: Any, spread: Any, camera: Camera) -> tuple[Any, Any]:
    """Where splats fall on the picture (n, 2), and how they spread there (n, 2, 2), from places (n, 3) and spreads
    (n, 3, 3) before the camera. With perspective a splat's outline is that of the picture's first slope at its middle
    (Zwicker et al., "EWA Volume Splatting", 2001)."""
    import torch

    focal, middle = torch.tensor(camera.focal), torch.tensor(camera.middle)
    if not camera.perspective:
        return places[:, :2] * focal + middle, spread[:, :2, :2] * focal[:, None] * focal
    ahead = (-places[:, 2:]).clamp(min=NEAR)
    slope = places[:, :2] / ahead
    limit = _WIDEST / focal
    steep = slope.clamp(-limit, limit)
    turned = torch.zeros(len(places), 2, 3)
    turned[:, 0, 0] = turned[:, 1, 1] = 1.0
    turned[:, :, 2] = steep
    turned = turned * (focal / ahead)[:, :, None]
    return slope * focal + middle, turned @ spread @ turned.transpose(1, 2)


def matrices(quaternions: Any) -> Any:
    """Rotations (n, 3, 3) of quaternions (n, 4), w first, of any length."""
    import torch

    w, x, y, z = torch.nn.functional.normalize(quaternions, dim=1).unbind(dim=1)
    rows = [
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], dim=1),
        torch.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], dim=1),
        torch.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], dim=1),
    ]
    return torch.stack(rows, dim=1)
