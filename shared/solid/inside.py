"""Pictures of how a solid came about: its stages, and slices through what it fills."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.outputs import SolidOutput
from shared.solid.mending import thinned
from shared.solid.mesh import Solid
from shared.solid.rendering import View, drawn, projected
from shared.solid.scattering import colours_at, scattered
from shared.solid.voxels import voxels

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 360  # pixels
_SEEN_FROM = View(turn=30, tilt=20)
_DOTS, _WIRES = 8000, 1500
_CELLS = 96
# A scale from low to high whose lightness grows evenly: it can be read without colours too.
_LOW, _MIDDLE, _HIGH = (12, 40, 60), (26, 150, 140), (250, 240, 200)


def stages(output: SolidOutput) -> list[tuple[Image, str]]:
    """Pictures with a word for each, in the order of the work."""
    assert output.solid is not None
    found: list[tuple[Image, str]] = []
    if output.lift is not None:
        lift = output.lift
        found.append((_picture(lift.cutout.pixels), "The picture"))
        found.append((_picture((lift.cutout.cover * 255).astype("uint8")), "The object"))
        found.append((_picture(_scaled(lift.heights, lift.cover > 0.5)), "Heights"))
        if lift.count > 1:
            found.append((_picture(_parts(lift.labels)), f"{lift.count} parts by colour"))
    found.append((_points(output.solid), f"{_DOTS:,} points on its surface"))
    found.append(
        (drawn(thinned(output.solid, _WIRES), _SEEN_FROM, _SIDE, "wireframe"), f"Joined to {_WIRES:,} triangles")
    )
    found.append((drawn(output.solid, _SEEN_FROM, _SIDE, "normals"), "Normals"))
    found.append((drawn(output.solid, _SEEN_FROM, _SIDE, "clay"), "Clay"))
    found.append((drawn(output.solid, _SEEN_FROM, _SIDE), "With its colours"))
    return found


def _points(solid: Solid) -> Image:
    """The surface as a cloud of points: those that face us, the nearest drawn last."""
    import numpy
    from PIL import Image

    face, weights = scattered(solid, _DOTS)
    places = (solid.vertices[solid.faces[face]] * weights[:, :, None]).sum(axis=1)
    every = projected(replace(solid, vertices=numpy.concatenate([solid.vertices, places])), _SEEN_FROM, _SIDE)
    facing = solid.face_normals()[face] @ _SEEN_FROM.rotation()[2] > 0
    at = every[len(solid.vertices) :][facing]
    order = numpy.argsort(at[:, 2])
    pixels = numpy.full((_SIDE, _SIDE, 3), 255, numpy.uint8)
    column, row = (at[order, axis].astype(int).clip(0, _SIDE - 3) for axis in (0, 1))
    colours = (colours_at(solid, face[facing], weights[facing])[order] * 255).astype(numpy.uint8)
    for right in range(3):
        for down in range(3):
            pixels[row + down, column + right] = colours
    return Image.fromarray(pixels)


def slice_of(output: SolidOutput, axis: int, at: float) -> Image:
    """What is solid where it is cut across an axis (x, y, z), `at` 0 to 1 of the way along it.

    Signed distances where there is a field: teal within, from light at the surface to dark; otherwise cells, dark
    where filled.
    """
    import numpy

    if output.field is not None:
        field = output.field
        cut = _turned(numpy.take(field, round(at * (field.shape[axis] - 1)), axis=axis), axis)
        share = numpy.abs(cut) / max(float(numpy.abs(field).max()), 1e-9)
        within = numpy.array([26, 150, 140]) * (1 - share[..., None]) + numpy.array([5, 40, 45]) * share[..., None]
        without = 255 - 90 * share[..., None] * numpy.ones(3)
        return _picture(numpy.where(cut[..., None] > 0, within, without).astype(numpy.uint8))
    filled = _cells(output)
    cut = _turned(numpy.take(filled, round(at * (filled.shape[axis] - 1)), axis=axis), axis)
    return _picture(numpy.where(cut[..., None], (16, 92, 86), (245, 247, 247)).astype(numpy.uint8))


def _cells(output: SolidOutput) -> Any:
    return _kept(_Held(output.solid)).filled


class _Held:
    """A solid by its identity: its arrays can't be compared."""

    def __init__(self, solid: Any) -> None:
        self.solid = solid

    def __hash__(self) -> int:
        return id(self.solid)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.solid is self.solid


@lru_cache(maxsize=4)
def _kept(held: _Held) -> Any:
    """The cells of the last few solids, since a slider asks for them often."""
    return voxels(held.solid, _CELLS)


def _turned(cut: Any, axis: int) -> Any:
    """The slice as a picture, y or else z upwards."""
    return (cut if axis == 0 else cut.T)[::-1]


def _picture(pixels: Any) -> Image:
    import numpy
    from PIL import Image

    image = Image.fromarray(numpy.ascontiguousarray(pixels))
    scale = _SIDE / max(image.size)
    sharp = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BILINEAR
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), sharp)


def _scaled(values: Any, mask: Any) -> Any:
    import numpy

    share = (values / max(float(values.max()), 1e-9))[..., None]
    low, middle, high = (numpy.array(colour, float) for colour in (_LOW, _MIDDLE, _HIGH))
    colours = numpy.where(share < 0.5, low + (middle - low) * 2 * share, middle + (high - middle) * (2 * share - 1))
    return numpy.where(mask[..., None], colours, 255).astype(numpy.uint8)


def _parts(labels: Any) -> Any:
    """A colour for each part: hues a golden angle apart."""
    import colorsys

    import numpy

    count = int(labels.max())
    hues = [colorsys.hsv_to_rgb(number * 0.618 % 1, 0.55, 0.85) for number in range(count)]
    return (numpy.array([(1, 1, 1), *hues])[labels] * 255).astype(numpy.uint8)
