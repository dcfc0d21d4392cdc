"""The kinds of files that a solid is kept in: trimesh writes the meshes; how it was made is put where there is room."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.errors import InvalidRequest
from shared.solid import glb, splats
from shared.solid.mesh import Solid

KEYWORD = "genai_playground"
_METRE = 0.001  # glTF's unit is the metre; the other files hold millimetres, as slicers take them


@dataclass(frozen=True, kw_only=True)
class Material:
    """How the surface takes light: `metal` and `rough` are glTF's factors, 0 to 1. `textured`: with its own colours."""

    label: str
    metal: float
    rough: float
    textured: bool = True
    colour: tuple[int, int, int] = (255, 255, 255)


MATERIALS: Mapping[str, Material] = {
    "painted": Material(label="Painted", metal=0.0, rough=0.65),
    "glazed": Material(label="Glazed", metal=0.0, rough=0.15),
    "clay": Material(label="Clay", metal=0.0, rough=0.9, textured=False, colour=(205, 170, 145)),
    "plaster": Material(label="Plaster", metal=0.0, rough=1.0, textured=False, colour=(232, 230, 225)),
    "steel": Material(label="Steel", metal=1.0, rough=0.3, textured=False, colour=(196, 199, 203)),
    "gold": Material(label="Gold", metal=1.0, rough=0.25, textured=False, colour=(255, 205, 110)),
}


@dataclass(frozen=True)
class Kind:
    """A kind of file: the words for it, its ending and media type, and what writes it."""

    label: str
    suffix: str
    media_type: str
    write: Callable[[Solid, dict[str, Any] | None, Material], bytes]


def encode(solid: Solid, kind: str, made: dict[str, Any] | None = None, material: str = "painted") -> bytes:
    """The solid as a file. `made`: how it was made, which is written into it where the kind has room.

    Raises `InvalidRequest` for a kind or a material that isn't there.
    """
    if material not in MATERIALS:
        raise InvalidRequest(f"The material must be one of {', '.join(MATERIALS)}; it is {material[:20]!r}.")
    return kind_of(kind).write(solid, made, MATERIALS[material])


def kind_of(name: str) -> Kind:
    """The kind by its name. Raises `InvalidRequest`."""
    if name not in KINDS:
        raise InvalidRequest(f"A solid is saved as one of {', '.join(KINDS)}, not as {name[:20]!r}.")
    return KINDS[name]


def _mesh(solid: Solid, material: Material, scale: float = 1.0) -> Any:
    """A trimesh of it, in its own order of vertices."""
    import numpy
    import trimesh.visual.material
    from PIL import Image

    visuals: Any = trimesh.visual  # its parts have no types
    surface: dict[str, Any] = {"metallicFactor": material.metal, "roughnessFactor": material.rough}
    visual: Any = None
    if material.textured and solid.texture is not None and solid.uv is not None:
        surface["baseColorTexture"] = Image.open(io.BytesIO(solid.texture))
        surface |= _baked(solid)
        visual = visuals.TextureVisuals(uv=solid.uv, material=visuals.material.PBRMaterial(**surface))
    elif material.textured:
        colours = numpy.hstack([solid.vertex_colours(), numpy.full((len(solid.vertices), 1), 255, numpy.uint8)])
        visual = visuals.ColorVisuals(vertex_colors=colours)
    else:
        surface["baseColorFactor"] = [*material.colour, 255]
        uv = solid.uv if solid.uv is not None else numpy.zeros((len(solid.vertices), 2))
        visual = visuals.TextureVisuals(uv=uv, material=visuals.material.PBRMaterial(**surface))
    return trimesh.Trimesh(
        solid.vertices.astype(float) * scale,
        solid.faces,
        vertex_normals=solid.normals(),
        visual=visual,
        process=False,
    )


def _baked(solid: Solid) -> dict[str, Any]:
    """The finer normals and the shade, as glTF has them: the shade is in the red of its picture."""
    from PIL import Image

    names = {"normalTexture": solid.bumps, "occlusionTexture": solid.shade}
    return {name: Image.open(io.BytesIO(data)).convert("RGB") for name, data in names.items() if data is not None}


def _line(made: dict[str, Any] | None) -> str:
    """How it was made, on one line of ASCII."""
    return "" if made is None else json.dumps({KEYWORD: made}, ensure_ascii=True, default=str)


def _glb(solid: Solid, made: dict[str, Any] | None, material: Material) -> bytes:
    if solid.texture is None:
        solid = replace(solid, colours=_linear(solid.vertex_colours()))
    data = _bytes(_mesh(solid, material, _METRE).export(file_type="glb", include_normals=True))
    return data if made is None else glb.with_extras(data, {KEYWORD: made})


def _linear(colours: Any) -> Any:
    """Of sRGB: glTF counts light in the colours of vertices, other than in those of textures."""
    import numpy

    values = colours / 255
    linear = numpy.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return numpy.rint(linear * 255).astype(numpy.uint8)


def _obj(solid: Solid, made: dict[str, Any] | None, material: Material) -> bytes:
    """A zip of the mesh, its material and its texture."""
    from trimesh.exchange import obj

    exporting: Any = obj
    text, others = exporting.export_obj(_mesh(solid, material), include_normals=True, return_texture=True)
    head = f"# {_line(made)}\n" if made is not None else ""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("solid.obj", head + text)
        for name, data in others.items():
            packed.writestr(name, data)
    return file.getvalue()


def _ply(solid: Solid, made: dict[str, Any] | None, material: Material) -> bytes:
    """With a colour for each vertex."""
    import numpy
    import trimesh

    colours = numpy.hstack([solid.vertex_colours(), numpy.full((len(solid.vertices), 1), 255, numpy.uint8)])
    mesh = trimesh.Trimesh(solid.vertices, solid.faces, vertex_colors=colours, process=False)
    data = _bytes(mesh.export(file_type="ply"))
    comment = f"\ncomment {_line(made)}".encode() if made is not None else b""
    return data.replace(b"\nelement vertex", comment + b"\nelement vertex", 1)


def _stl(solid: Solid, made: dict[str, Any] | None, material: Material) -> bytes:
    """Triangles alone: the form has no room for colours, nor for how it was made."""
    import trimesh

    return _bytes(trimesh.Trimesh(solid.vertices, solid.faces, process=False).export(file_type="stl"))


def _bytes(file: Any) -> bytes:
    return bytes(file)


def _splats(solid: Solid, made: dict[str, Any] | None, material: Material) -> bytes:
    return splats.ply(splats.sampled_from(solid), _line(made))


KINDS: Mapping[str, Kind] = {
    "glb": Kind("GLB", ".glb", "model/gltf-binary", _glb),
    "obj": Kind("OBJ (zip)", ".zip", "application/zip", _obj),
    "ply": Kind("PLY", ".ply", "application/octet-stream", _ply),
    "stl": Kind("STL", ".stl", "model/stl", _stl),
    "splat": Kind("Splats (PLY)", ".splat.ply", "application/octet-stream", _splats),
}
