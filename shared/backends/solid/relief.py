"""A depth model ready to run: a picture in, a relief of it out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import machine as machines
from shared.backends.base import Capabilities, Outcome
from shared.backends.local.facts import versions as versions_of
from shared.backends.local.parts import OfParts
from shared.errors import CorruptWeights, InvalidRequest
from shared.events import Preview, Progress
from shared.media.opening import open_picture
from shared.outputs import SolidOutput
from shared.placement import device_of
from shared.requests import SolidRequest
from shared.solid.cutout import TOLERANCE, Cutout, cut_out, whole
from shared.solid.lifting import SIZE_MM, Lift, Shape, on_grid, raised

if TYPE_CHECKING:
    from PIL.Image import Image

    from shared.catalog import Variant
    from shared.requests import Request
    from shared.streaming import Emit

RESOLUTION, DEPTH = 128, 0.7
_BASE = 0.04  # of the longer side: the thickness of the plate below what is farthest
_RISE = 0.35  # of the longer side, at a depth of 1: how far the nearest rises above that
_FRAME = "The background isn't plain, so that the whole picture is raised, as a plate."


def read(folder: Path, variant: Variant, capabilities: Capabilities, emit: Emit) -> ReliefModel:
    """The model in the folder. Errors are transformers'."""
    import torch
    import transformers

    emit(Progress(f"Loading {folder.name}"))
    device = device_of(variant, machines.probe())
    safe = {"local_files_only": True, "trust_remote_code": False}
    library: Any = transformers
    looking = library.AutoImageProcessor.from_pretrained(folder, **safe)
    model, found = library.AutoModelForDepthEstimation.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **safe
    )
    if found["missing_keys"]:
        raise CorruptWeights(f"{folder.name} lacks some of its weights. Download the model again.")
    versions = versions_of("torch", "transformers", "scipy", "trimesh")
    facts = {"device": device, "dtype": "float32", "versions": versions}
    return ReliefModel(model.eval().to(device), looking, bool(variant.options.get("far")), capabilities, facts)


class ReliefModel(OfParts):
    """`far`: whether larger numbers are farther away."""

    def __init__(
        self, model: Any, looking: Any, far: bool, capabilities: Capabilities, facts: Mapping[str, Any]
    ) -> None:
        super().__init__(model, capabilities, facts)
        self._looking: Any = looking
        self._far = far

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Make the relief. Raises `InvalidRequest` without a picture, `CorruptWeights` for numbers out of bounds."""
        assert isinstance(request, SolidRequest)
        if request.image is None:
            raise InvalidRequest("This engine raises pictures. Add one, or choose an engine that draws from words.")
        picture = open_picture(request.image.data)
        cutout, notes = self._object(picture, request)
        emit(Progress("Looking how far each point is"))
        near = self._nearness(cutout, picture)
        emit(Preview(_shown(near)))
        shape = Shape(resolution=request.resolution or RESOLUTION, back="flat", size_mm=request.size_mm or SIZE_MM)
        emit(Progress("Raising it"))
        grid = on_grid(cutout, shape.resolution)
        heights = self._heights(near, cutout, grid, DEPTH if request.depth is None else request.depth)
        solid, cells = raised(cutout, grid, heights, shape)
        kept = Lift(
            cutout=cutout, cover=grid.cover, heights=heights, labels=(grid.cover > 0.5) * 1, count=1, cells_per_mm=cells
        )
        return Outcome(
            output=SolidOutput(solid=solid, picture=request.image, lift=kept),
            facts={"triangles": len(solid.faces), "background": cutout.by, "notes": notes},
        )

    def _object(self, picture: Image, request: SolidRequest) -> tuple[Cutout, tuple[str, ...]]:
        """The object alone where there is a plain background, otherwise the whole picture."""
        try:
            tolerance = request.tolerance or TOLERANCE
            return cut_out(picture, tolerance=tolerance, see_through=bool(request.see_through)), ()
        except InvalidRequest:
            return whole(picture), (_FRAME,)

    def _nearness(self, cutout: Cutout, picture: Image) -> Any:
        """How near each pixel of the cut-out picture is (rows, columns) float32: 0 the farthest, 1 the nearest."""
        import numpy
        import torch
        from PIL import Image

        seen = self._looking(images=picture.convert("RGB"), return_tensors="pt").to(self._parts.device)
        with torch.no_grad():
            told = self._parts(**seen).predicted_depth[0].float().cpu().numpy()
        if not numpy.isfinite(told).all():
            raise CorruptWeights("The depth model's numbers went out of bounds. Download the model again.")
        rows, columns = cutout.mask.shape
        sized = Image.fromarray(told).resize((columns, rows), Image.Resampling.BILINEAR)
        values = numpy.asarray(sized) * (-1 if self._far else 1)
        low, high = numpy.percentile(values[cutout.mask], [1, 99])
        return numpy.clip((values - low) / max(float(high - low), 1e-6), 0, 1).astype(numpy.float32)

    def _heights(self, near: Any, cutout: Cutout, grid: Any, depth: float) -> Any:
        """In cells of the grid (rows, columns)."""
        import numpy
        from scipy import ndimage

        places = grid.places(numpy.moveaxis(numpy.indices(grid.cover.shape), 0, -1)).transpose(2, 0, 1)
        values = ndimage.map_coordinates(near, places, order=1, mode="nearest")
        side = max(grid.cover.shape)
        return side * (_BASE + _RISE * depth * values)


def _shown(near: Any) -> Image:
    from PIL import Image

    return Image.fromarray((near * 255).astype("uint8"))
