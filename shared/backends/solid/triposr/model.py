"""A TripoSR model ready to run: a picture in, a closed solid with coloured vertices out, seen from all sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backends.base import Outcome
from shared.backends.local.failures import within_memory
from shared.backends.local.parts import OfParts
from shared.backends.solid.alone import alone
from shared.backends.solid.triposr.network import asked, planes_of
from shared.errors import CorruptWeights, InvalidRequest
from shared.events import Preview, Progress
from shared.media.opening import open_picture
from shared.outputs import SolidOutput
from shared.requests import SolidRequest
from shared.solid.cutout import TOLERANCE, cut_out, whole
from shared.solid.isosurface import surface
from shared.solid.mesh import Solid

if TYPE_CHECKING:
    from PIL.Image import Image

    from shared.requests import Request
    from shared.streaming import Emit

RESOLUTION, SIZE_MM = 160, 60.0
_GREY, _SHARE = 127, 0.85  # what the model learned from: the ground's value, and how much of it the object fills
_SURFACE = 3.2188758  # the logarithm of 25, the density at the surface: as its authors set it
_AT_ONCE = 65536  # places that the field is asked of together
_FRAME = "The background isn't plain, so that the whole picture was shown to the model."
_NO_PICTURE = "This model starts from a picture. Add one, or choose a model that reads words."
_NO_SURFACE = "The model saw no object in this picture. Try another one; if none works, its weights are damaged."
_LESS = "Lower the resolution, or unload other models."


class TripoSRModel(OfParts):
    """A picture is looked at once, and its field is asked at all places."""

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Make the solid. Raises `InvalidRequest`, `OutOfMemory`, `CorruptWeights` for no surface, `Cancelled`."""
        assert isinstance(request, SolidRequest)
        if request.image is None:
            raise InvalidRequest(_NO_PICTURE)
        emit(Progress("Cutting out the object"))
        picture, notes = _shown(open_picture(request.image.data), request)
        emit(Preview(picture))
        solid, field = within_memory(lambda: self._made(picture, request.resolution or RESOLUTION, emit), _LESS)
        output = SolidOutput(solid=solid.scaled_to(request.size_mm or SIZE_MM), picture=request.image, field=field)
        return Outcome(output=output, facts={"triangles": len(solid.faces), "notes": notes})

    def _made(self, picture: Image, side: int, emit: Emit) -> tuple[Solid, Any]:
        """The solid, and the field (side, side, side) that it was found in: how far the logarithm of the density is
        above that of the surface, in our axes."""
        import numpy
        import torch

        parts, layers = self._parts, self._parts.config.layers
        device = next(parts.network.parameters()).device
        emit(Progress("Reading the picture"))
        with torch.inference_mode():
            pixels = _sized(picture, parts.config.side).to(device)
            planes = planes_of(
                parts.network, pixels, lambda done: emit(Progress(f"Layer {done} of {layers}", done, layers))
            )
            axis = torch.linspace(-1, 1, side, device=device)
            # Its z points up and its x to who looks: our x, y and z are its y, z and x.
            x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
            grid: Any = torch.stack([z, x, y], dim=-1).reshape(-1, 3)
            told: list[Any] = []
            for part in grid.split(_AT_ONCE):
                emit(Progress("Asking the field where it is solid", len(told) * _AT_ONCE, len(grid)))
                told.append(asked(parts.network, planes, part)[0].cpu())
            field = torch.cat(told).numpy().reshape(side, side, side) + (parts.config.bias - _SURFACE)
            if not numpy.isfinite(field).all():
                raise CorruptWeights(_NO_SURFACE)
            emit(Progress("Finding its surface"))
            vertices, faces = surface(field)
            if not len(faces):
                raise CorruptWeights(_NO_SURFACE)
            ours = torch.as_tensor(vertices / (side - 1) * 2 - 1, dtype=torch.float32, device=device)
            places: Any = ours[:, [2, 0, 1]]
            colours = torch.cat([asked(parts.network, planes, part)[1].cpu() for part in places.split(_AT_ONCE)])
        painted = (colours.numpy() * 255).round().astype(numpy.uint8)
        return Solid(vertices=ours.cpu().numpy(), faces=faces.astype(numpy.int32), colours=painted), field


def _shown(picture: Image, request: SolidRequest) -> tuple[Image, tuple[str, ...]]:
    """The object alone, or the whole picture with a note where there is no plain background."""
    try:
        tolerance = request.tolerance or TOLERANCE
        cutout = cut_out(picture, tolerance=tolerance, see_through=bool(request.see_through))
    except InvalidRequest:
        return alone(whole(picture), _GREY, 1.0), (_FRAME,)
    return alone(cutout, _GREY, _SHARE), ()


def _sized(picture: Image, side: int) -> Any:
    """The picture (3, side, side) float32, 0 to 1."""
    import numpy
    import torch

    pixels = torch.from_numpy(numpy.asarray(picture, numpy.float32) / 255).permute(2, 0, 1)[None]
    return torch.nn.functional.interpolate(pixels, (side, side), mode="bilinear", antialias=True)[0]
