"""Shows the picture while it is still noise: latents turned into small pictures, at next to no cost."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from shared.backends.diffusion.placing import takes_turns
from shared.events import Preview
from shared.streaming import Emit

# A model folder may carry this: a 3 x 3 convolution from latents to blocks of pixels, fitted by least squares to
# what its decoder makes. `weight` (3 * block * block, channels, 3, 3) and `bias`; pixels come in 0 to 1.
LINEAR = Path("preview") / "linear.safetensors"
EVERY = 0.1  # seconds between previews: a screen shows about four a second
SHARE = 0.02  # of the time that a run may spend on previews made by a decoder


class Previews:
    """Makes previews of a pipeline's latents, no oftener than they can be seen or paid for."""

    def __init__(self, pipe: Any, folder: Path | None) -> None:
        self._pipe = pipe
        self._linear = _read(folder / LINEAR) if folder and (folder / LINEAR).is_file() else None
        self.tiny = type(getattr(pipe, "vae", None)).__name__ == "AutoencoderTiny"

    @property
    def free(self) -> bool:
        """Whether a preview costs next to nothing."""
        return self._linear is not None

    def start(self, *, every_step: bool) -> Pace:
        """The pace of one run."""
        return Pace(every_step=every_step)

    def show(self, latents: Any, step: int, total: int, pace: Pace, emit: Emit) -> None:
        """Emit a preview of `latents` (1, channels, h, w) if one is due and this model can give one."""
        if getattr(latents, "ndim", 0) != 4 or not pace.due(free=self.free):
            return
        begun = time.monotonic()
        image = self.picture(latents[:1])
        pace.spent(time.monotonic() - begun)
        if image is not None:
            emit(Preview(image, step, total))

    def picture(self, latents: Any) -> Any:
        """Of latents (1, channels, h, w); None where this model can give none."""
        import torch

        with torch.inference_mode():
            if self._linear is not None:
                return pil(_unfold(latents.float().cpu() / self._pipe.vae.config.scaling_factor, *self._linear))
            if self.tiny and not takes_turns(self._pipe.vae):
                pixels = self._pipe.vae.decode(latents / self._pipe.vae.config.scaling_factor).sample
                return pil(pixels[0].float().cpu() / 2 + 0.5)
        return None


class Pace:
    """When the next preview of a run is due."""

    def __init__(self, *, every_step: bool = False) -> None:
        self._always = every_step
        self._begun = self._last = time.monotonic()
        self._cost = self._all = 0.0

    def due(self, *, free: bool) -> bool:
        """Whether long enough has passed, and, unless it is free, whether a run of this length can pay for it."""
        if self._always:
            return True
        now = time.monotonic()
        return now - self._last >= EVERY and (free or self._all + self._cost <= SHARE * (now - self._begun))

    def spent(self, seconds: float) -> None:
        """Remember what a preview took."""
        self._last, self._cost, self._all = time.monotonic(), seconds, self._all + seconds


def _read(file: Path) -> tuple[Any, Any]:
    from safetensors.torch import load_file

    tensors = load_file(file)
    return tensors["weight"].float(), tensors["bias"].float()


def _unfold(latents: Any, weight: Any, bias: Any) -> Any:
    """Pixels (3, h * block, w * block) of latents (1, channels, h, w)."""
    from torch.nn import functional

    blocks = functional.conv2d(functional.pad(latents, (1, 1, 1, 1), mode="replicate"), weight, bias)
    block = round((weight.shape[0] / 3) ** 0.5)
    return functional.pixel_shuffle(blocks, block)[0]


def pil(pixels: Any) -> Any:
    """The picture; None where numbers are none, which would show as black."""
    from PIL import Image

    if not bool(pixels.isfinite().all()):
        return None
    array = pixels.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
    return Image.fromarray(array)
