"""Opens meshes that anybody may have sent: what they claim is checked before anything is read into memory."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from shared.errors import InvalidRequest
from shared.media.opening import open_picture
from shared.solid import glb
from shared.solid.mesh import Solid

MAX_BYTES = 60_000_000
MAX_FACES = 1_500_000
MOST_PARTS = 5000  # of one file: trimesh takes minutes for a hundred thousand
_PARTS_OF_OBJ = (b"\ng ", b"\no ", b"\nusemtl ")
KINDS = (".glb", ".ply", ".stl", ".obj")
_PACKED = ("KHR_draco_mesh_compression", "EXT_meshopt_compression")
_AGAIN = "Save it again from the program that made it, as GLB or STL."


def open_solid(source: str | Path) -> Solid:
    """The mesh in the file, in millimetres. Raises `InvalidRequest` for what is none, too large or broken."""
    path = Path(source)
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise InvalidRequest(f"{path.name} is no GLB, PLY, STL or OBJ file. Save the mesh as one of these.")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        raise InvalidRequest(f"{path.name} can't be opened. Choose it again.") from None
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"{path.name} is larger than {MAX_BYTES // 1_000_000} MB. Thin it out and try again.")
    return read_solid(data, kind, path.name)


def read_solid(data: bytes, kind: str, name: str) -> Solid:
    """The same for a file's bytes; `kind` is one of `KINDS`."""
    if kind == ".glb":
        _check_glb(data, name)
    if kind == ".obj" and sum(map(data.count, _PARTS_OF_OBJ)) > MOST_PARTS:
        raise _claims_too_much(name)
    return _checked(_read(data, kind[1:], name), name)


def _check_glb(data: bytes, name: str) -> None:
    """Raise `InvalidRequest` for a GLB that claims more than it holds, is packed, or points elsewhere."""
    try:
        document, rest = glb.parted(data)
        counts = [int(each.get("count", 0)) for each in document.get("accessors", [])]
        parts = [*document.get("buffers", []), *document.get("images", [])]
        wanted = sum(int(each.get("byteLength", 0)) for each in document.get("buffers", []))
        packed = set(document.get("extensionsUsed", [])) & set(_PACKED)
        views = document.get("bufferViews", [])
        shown = _shown(document, counts)
        pictures = [views[each["bufferView"]] for each in document.get("images", []) if "bufferView" in each]
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        raise InvalidRequest(f"{name} is no GLB, or it is damaged. {_AGAIN}") from None
    if any("uri" in each for each in parts):
        raise InvalidRequest(f"{name} points to other files, which are not fetched. {_AGAIN}")
    if packed:
        raise InvalidRequest(f"{name} is packed by {min(packed)}, which is not read here. Save it without compression.")
    if any(count > 3 * MAX_FACES or count < 0 for count in counts) or wanted > len(rest):
        raise _claims_too_much(name)
    if shown > 3 * MAX_FACES or len(document.get("nodes", [])) > MOST_PARTS:
        raise _claims_too_much(name)
    for view in pictures:
        start = 8 + int(view.get("byteOffset", 0))
        open_picture(rest[start : start + int(view.get("byteLength", 0))])  # its size is checked before it is read


def _shown(document: dict[str, Any], counts: list[int]) -> int:
    """How many corners are shown: a mesh counts again for each node that shows it, which costs the file some bytes."""
    sizes = [
        sum(counts[each.get("indices", each["attributes"]["POSITION"])] for each in mesh.get("primitives", []))
        for mesh in document.get("meshes", [])
    ]
    return sum(sizes[node["mesh"]] for node in document.get("nodes", []) if "mesh" in node)


def _claims_too_much(name: str) -> InvalidRequest:
    return InvalidRequest(f"{name} claims to hold more than it does, or than is taken here. {_AGAIN}")


def _read(data: bytes, kind: str, name: str) -> Any:
    import trimesh

    try:
        return trimesh.load(io.BytesIO(data), file_type=kind, force="mesh", process=False, resolver=None)
    except InvalidRequest:
        raise
    except Exception as error:  # trimesh's readers raise whatever the file makes them stumble over
        raise InvalidRequest(f"{name} can't be read as a mesh ({type(error).__name__}). {_AGAIN}") from None


def _checked(mesh: Any, name: str) -> Solid:
    import numpy

    faces = getattr(mesh, "faces", None)
    if faces is None or not len(faces):
        raise InvalidRequest(f"{name} holds no triangles: it may be a cloud of points. Use a mesh.")
    if len(faces) > MAX_FACES:
        raise InvalidRequest(f"{name} has {len(faces):,} triangles; {MAX_FACES:,} are taken here. Thin it out first.")
    vertices = numpy.asarray(mesh.vertices, numpy.float64)
    if not numpy.isfinite(vertices).all() or faces.min() < 0 or faces.max() >= len(vertices):
        raise InvalidRequest(f"{name} has points that are no numbers, or faces without points. {_AGAIN}")
    longest = float((vertices.max(axis=0) - vertices.min(axis=0)).max())
    if not 0 < longest < 1e9:
        raise InvalidRequest(f"{name} has no extent, or far too much. {_AGAIN}")
    scale = 1000.0 if mesh.metadata.get("file_type") == "glb" or longest < 1 else 1.0
    worn = _worn(mesh.visual, len(vertices))
    return Solid(vertices=(vertices * scale).astype(numpy.float32), faces=numpy.asarray(faces, numpy.int32), **worn)


def _worn(visual: Any, count: int) -> dict[str, Any]:
    """The texture and its places, or the colours of the vertices, where it has any."""
    import numpy

    material, uv = getattr(visual, "material", None), getattr(visual, "uv", None)
    picture = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    if picture is not None and uv is not None and len(uv) == count:
        file = io.BytesIO()
        picture.convert("RGB").save(file, "PNG")
        return {"uv": numpy.clip(numpy.nan_to_num(uv), 0, 1).astype(numpy.float32), "texture": file.getvalue()}
    colours = getattr(visual, "vertex_colors", None) if getattr(visual, "defined", False) else None
    if colours is not None and len(colours) == count:
        return {"colours": numpy.asarray(colours[:, :3], numpy.uint8)}
    return {}
