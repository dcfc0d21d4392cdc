"""Shows a clip while it is still noise: some of its frames, small, at a small share of the run's time."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

from shared.backends.diffusion.placing import takes_turns
from shared.backends.diffusion.previews import Pace, Previews, pil
from shared.backends.diffusion.video_kinds import Kind
from shared.events import Preview
from shared.requests import ImagePart
from shared.streaming import Emit

MOST = 8  # frames of a preview
SMALL = 256  # pixels of the longer side
_OF_PICTURES = "AutoencoderKL"  # the decoder that takes each frame alone, beside the tiny one
STEPS = 60  # contact sheets kept of a run


class Rough:
    """Makes previews of a pipeline's latents: by the folder's own small decoder, or by decoding a few frames."""

    def __init__(self, pipe: Any, kind: Kind, folder: Path | None) -> None:
        self._pipe, self._kind = pipe, kind
        self._pictures = Previews(pipe, folder)
        self._sheets: list[ImagePart] = []
        self._keep = False

    def start(self, *, every_step: bool) -> Pace:
        """The pace of one run."""
        self._sheets, self._keep = [], every_step
        return Pace(every_step=every_step)

    def show(self, latents: Any, at: tuple[int, int], fps: float, pace: Pace, emit: Emit) -> None:
        """Emit a preview of `latents` if one is due and this model can give one. `at`: the step, of how many."""
        if not self._kind.layout or getattr(latents, "ndim", 0) != 5 or not pace.due(free=self._pictures.free):
            return
        begun = time.monotonic()
        frames = self._frames(latents)
        pace.spent(time.monotonic() - begun)
        if frames:
            if self._keep and len(self._sheets) < STEPS:
                self._sheets.append(_sheet(frames))
            emit(Preview(frames[0], *at, frames=frames, fps=fps * len(frames) / max(1, self._count(latents))))

    def kept(self) -> tuple[ImagePart, ...]:
        """The contact sheets of the run's steps, where these were asked for."""
        return tuple(self._sheets)

    def _count(self, latents: Any) -> int:
        return int(latents.shape[2 if self._kind.layout == "cf" else 1])

    def _frames(self, latents: Any) -> tuple[Any, ...]:
        import torch

        channels_first = latents if self._kind.layout == "cf" else latents.transpose(1, 2)
        count = channels_first.shape[2]
        chosen = sorted({round(i * (count - 1) / max(1, MOST - 1)) for i in range(min(MOST, count))})
        with torch.inference_mode():
            if self._pictures.free or self._pictures.tiny:
                made = [self._pictures.picture(channels_first[:, :, at]) for at in chosen]
            elif takes_turns(self._pipe.vae):
                return ()
            elif type(self._pipe.vae).__name__ == _OF_PICTURES:
                made = self._decoded(channels_first[0].transpose(0, 1)[chosen])
            else:
                made = self._decoded(channels_first[:, :, :1])
        return tuple(_small(frame) for frame in made if frame is not None)

    def _decoded(self, latents: Any) -> list[Any]:
        """Frames by the clip's own decoder: of latents (n, channels, h, w) each, of (1, channels, 1, h, w) the one."""
        vae = self._pipe.vae
        pixels = vae.decode(_denormalized(latents.to(vae.dtype), vae.config), return_dict=False)[0]
        frames = pixels if latents.ndim == 4 else pixels[:, :, 0]
        return [pil(frame.float().cpu() / 2 + 0.5) for frame in frames]


def _denormalized(latents: Any, config: Any) -> Any:
    """As decoders take them: by mean and deviation of each channel where the decoder has these, else by one factor."""
    import torch

    factor = getattr(config, "scaling_factor", None) or 1.0
    mean, deviation = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
    if not mean or not deviation:
        return latents / factor
    shape = (1, -1, *(1 for _ in latents.shape[2:]))
    mean, deviation = (torch.tensor(values).view(shape).to(latents) for values in (mean, deviation))
    return latents * deviation / factor + mean


def _small(frame: Any) -> Any:
    frame.thumbnail((SMALL, SMALL))
    return frame


def _sheet(frames: tuple[Any, ...]) -> ImagePart:
    """The frames beside one another as a PNG file."""
    from PIL import Image

    width, height = frames[0].size
    sheet = Image.new("RGB", (width * len(frames), height))
    for number, frame in enumerate(frames):
        sheet.paste(frame, (number * width, 0))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return ImagePart(file.getvalue(), "image/png")
