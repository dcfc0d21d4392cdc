"""Gaussian splats that gsplat draws, on an NVIDIA GPU: many more of them, and larger pictures.

gsplat (Ye et al., arXiv 2409.06765; Apache-2.0) compiles its kernels at first use, which takes minutes and CUDA's nvcc.
"""

from __future__ import annotations

from typing import Any, Protocol

from shared import machine as machines
from shared.backends.base import require
from shared.errors import BackendError
from shared.solid.learning.cameras import NEAR, Camera
from shared.solid.learning.splatting import SplatScene
from shared.solid.learning.views import Taken

PACKAGE = "gsplat"
_AWAY = 4.0  # where a camera without perspective stands: gsplat draws only what is before it
_OVER = (1.0, -1.0, -1.0)  # its cameras look along z, with y downwards


class Rasterise(Protocol):
    """`gsplat.rasterization`, as far as it is used here: n splats by one camera give pictures (1, height, width, 3),
    what they cover, and more. `viewmats` (1, 4, 4), `Ks` (1, 3, 3) in pixels, `backgrounds` (1, 3)."""

    def __call__(
        self, means: Any, quats: Any, scales: Any, opacities: Any, colors: Any, viewmats: Any, Ks: Any,
        width: int, height: int, *, near_plane: float, backgrounds: Any, camera_model: Any, packed: bool,
    ) -> tuple[Any, Any, Any]:  # fmt: skip
        """Draw them."""


def check() -> None:
    """Raise `MissingDependency`, or `BackendError` where there is no such GPU."""
    if not machines.probe().cuda_gb:
        raise BackendError("gsplat draws on an NVIDIA GPU, and this machine has none. Choose plain torch.")
    require(PACKAGE)


class GsplatScene(SplatScene):
    """The same splats, learned the same way. `rasterise`: gsplat's own where it is None."""

    def __init__(
        self,
        count: int,
        seed: int = 0,
        taken: Taken | None = None,
        device: str = "cuda",
        rasterise: Rasterise | None = None,
    ) -> None:
        if rasterise is None:
            check()
            from gsplat import rasterization

            rasterise = rasterization
        self._rasterise: Rasterise = rasterise
        super().__init__(count, seed, taken, device)

    def _drawn(self, camera: Camera, side: int) -> Any:
        import torch

        values: Any = self._values
        on: dict[str, Any] = {"device": self._device, "dtype": torch.float32}
        over = torch.tensor(_OVER, **on)
        seen_from = torch.eye(4, **on)
        seen_from[:3, :3] = torch.as_tensor(camera.turn, **on) * over[:, None]
        seen_from[:3, 3] = torch.as_tensor(camera.shift, **on) * over
        if not camera.perspective:
            seen_from[2, 3] += _AWAY
        half = side / 2
        lens = [
            [camera.focal[0] * half, 0.0, (1 + camera.middle[0]) * half],
            [0.0, camera.focal[1] * half, (1 - camera.middle[1]) * half],
            [0.0, 0.0, 1.0],
        ]
        pictures, _, _ = self._rasterise(
            values["centres"], values["turns"], values["scales"].exp(), values["opacities"].sigmoid(),
            values["colours"].sigmoid(), seen_from[None], torch.tensor([lens], **on), side, side, near_plane=NEAR,
            backgrounds=torch.ones(1, 3, **on), camera_model="pinhole" if camera.perspective else "ortho", packed=False,
        )  # fmt: skip
        return pictures[0]
