"""A small radiance field: a network that says of each place how dense it is and of what colour.

After Mildenhall et al., "NeRF" (ECCV 2020), at a size to watch: colours don't depend on where one looks from.
"""

from __future__ import annotations

from typing import Any

from shared.errors import InvalidRequest
from shared.solid.isosurface import surface as isosurface
from shared.solid.learning.cameras import NEAR, Camera
from shared.solid.learning.views import Views
from shared.solid.mesh import Solid

_OCTAVES, _SAMPLES, _RAYS = 5, 32, 512
SIDE, SHARE = 64, 1 / 3  # of a surface: cells along a side, and how dense it is for the densest place
_AT_ONCE = 16384  # places that the network is asked of together
_RATE = 4e-3
_FAR = 1.02  # of the ball: where rays begin and end


class RadianceScene:
    """A network `width` numbers wide, four layers deep."""

    def __init__(self, width: int, seed: int = 0) -> None:
        import torch

        self._noise = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            reads = 3 + 6 * _OCTAVES
            layers: list[Any] = []
            for number in range(4):
                layers += [torch.nn.Linear(reads if number == 0 else width, width), torch.nn.ReLU()]
            self._network = torch.nn.Sequential(*layers, torch.nn.Linear(width, 4))
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=_RATE)

    @property
    def size(self) -> int:
        """How many numbers are learned."""
        return sum(value.numel() for value in self._network.parameters())

    def learn(self, views: Views, number: int) -> float:
        """One step, by some rays of one of the views; the loss."""
        import torch

        wanted = torch.from_numpy(views.pictures[number]).reshape(-1, 3)
        chosen = torch.randint(len(wanted), (_RAYS,), generator=self._noise)
        side = views.pictures.shape[1]
        seen = self._drawn(views.cameras[number], side, chosen, moved=True)
        loss = ((seen - wanted[chosen]) ** 2).mean()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        return float(loss.detach())

    def seen(self, camera: Camera, side: int) -> Any:
        """A picture (side, side, 3) float32."""
        import torch

        with torch.no_grad():
            return self._drawn(camera, side, torch.arange(side * side)).reshape(side, side, 3).numpy()

    def surface(self, side: int = SIDE, least: float | None = None) -> Solid:
        """The surface where the field is denser than `least`, with its colours, found on a grid of `side` cells.

        None: than a third of its densest place.

        Raises `InvalidRequest` where it is nowhere so dense.
        """
        import torch

        axis = torch.linspace(-1, 1, side)
        places = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).reshape(-1, 3)
        with torch.no_grad():
            parts: Any = places  # its split has no types
            dense = torch.cat([self._told(part)[1] for part in parts.split(_AT_ONCE)])
            least = SHARE * float(dense.max()) if least is None else least
            vertices, faces = isosurface(dense.reshape(side, side, side).numpy() - least)
            if not len(faces):
                raise InvalidRequest("The field is nowhere dense enough for a surface. Let it learn more steps.")
            at: Any = torch.as_tensor(vertices / (side - 1) * 2 - 1).float()
            colours = torch.cat([self._told(part)[0] for part in at.split(_AT_ONCE)])
        painted = (colours * 255).round().to(torch.uint8).numpy()
        return Solid(vertices=at.numpy(), faces=faces.astype("int32"), colours=painted)

    def _told(self, places: Any) -> tuple[Any, Any]:
        """Colours (.., 3) and densities (..) of places (.., 3)."""
        import torch

        told = self._network(_waves(places))
        return told[..., :3].sigmoid(), torch.nn.functional.softplus(told[..., 3] - 1) * 20

    def _drawn(self, camera: Camera, side: int, chosen: Any, *, moved: bool = False) -> Any:
        """The colours (n, 3) of the chosen pixels: along each ray, what is dense hides what lies behind it.

        `moved`: places along the rays are shifted by chance, so that none is learned by heart.
        """
        import torch

        starts, ahead = (torch.from_numpy(each.copy()).float()[chosen] for each in camera.rays(side))
        step = 2 * _FAR / (_SAMPLES - 1)
        along = torch.linspace(-_FAR, _FAR, _SAMPLES).expand(len(chosen), -1)
        if moved:
            along = along + (torch.rand(len(chosen), 1, generator=self._noise) - 0.5) * step
        own, dense = self._told(starts[:, None] + along[..., None] * ahead[:, None])
        if camera.perspective:
            dense = dense * (along > NEAR - float((camera.place**2).sum() ** 0.5))
        cover = 1 - (-dense * step).exp()
        behind = (-dense * step).cumsum(dim=1)
        left = (behind + dense * step).exp()
        colours = ((cover * left)[..., None] * own).sum(dim=1)
        return colours + behind[:, -1:].exp()  # on white


def _waves(places: Any) -> Any:
    """The places and waves of them, octave by octave: a network of plain numbers sees no detail."""
    import torch

    waves = [places]
    for octave in range(_OCTAVES):
        waves += [(places * 2**octave * torch.pi).sin(), (places * 2**octave * torch.pi).cos()]
    return torch.cat(waves, dim=-1)
