"""A Shap-E pipeline ready to run: words or a picture in, a closed solid with coloured vertices out.

Jun and Nichol, "Shap-E: Generating Conditional 3D Implicit Functions" (arXiv 2305.02463, 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shared.backends.base import Outcome
from shared.backends.local.failures import within_memory
from shared.backends.local.parts import OfParts
from shared.backends.solid.alone import alone
from shared.errors import BackendError, CorruptWeights, InvalidRequest
from shared.events import Preview, Progress
from shared.media.opening import open_picture
from shared.outputs import SolidOutput
from shared.requests import SolidRequest
from shared.solid.cutout import TOLERANCE, cut_out
from shared.solid.isosurface import surface
from shared.solid.mesh import Solid

if TYPE_CHECKING:
    from PIL.Image import Image

    from shared.requests import Request
    from shared.streaming import Emit

RESOLUTION, SIZE_MM = 128, 60.0
_AT_ONCE = 65536  # places that the field is asked of together
_SHARE = 1 / 1.2  # of a picture's side: how much of it the object fills
MOST = 192  # cells along a side: time and memory grow with its cube
LESS = "Lower the resolution, unload other models, or choose a smaller model."
_READS = {"ShapEPipeline": False, "ShapEImg2ImgPipeline": True}
_NO_SURFACE = (
    "The model made a field with no surface in it. Try another seed or other words; if none works, its weights are "
    "damaged: download the model again."
)


def pictures_read(pipe: Any, called: str) -> bool:
    """Whether the pipeline starts from a picture. Raises `BackendError` for another kind."""
    name = type(pipe).__name__
    if name not in _READS:
        raise BackendError(f"{called} is a {name}. Those that make solids here: {', '.join(_READS)}.")
    return _READS[name]


class ShapEModel(OfParts):
    """Its parts are a pipeline of diffusers'."""

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Make the solid. Raises `InvalidRequest`, `OutOfMemory`, `CorruptWeights` for no surface, `Cancelled`."""
        assert isinstance(request, SolidRequest)
        if (request.resolution or RESOLUTION) > MOST:
            raise InvalidRequest(f"This model fills a cube: its resolution is at most {MOST}. Lower it.")
        if self.capabilities.images and request.image is None:
            raise InvalidRequest("This model starts from a picture. Add one, or choose a model that reads words.")
        if request.image is not None and not self.capabilities.images:
            raise InvalidRequest(
                "This model reads words. Take the picture away, or choose a model that reads pictures."
            )
        return within_memory(lambda: self._made(request, emit), LESS)

    def _made(self, request: SolidRequest, emit: Emit) -> Outcome:
        import torch

        given: dict[str, Any] = {"prompt": request.prompt}
        if request.image is not None:
            picture = _alone(open_picture(request.image.data), request.tolerance or TOLERANCE)
            emit(Preview(picture))
            given = {"image": picture}
        for name in ("num_inference_steps", "guidance_scale"):
            if (value := getattr(request, name)) is not None:
                given[name] = value
        pipe, side = self._parts, request.resolution or RESOLUTION
        noise = torch.Generator("cpu").manual_seed((request.seed or 0) % 2**63)
        emit(Progress("Making the shape"))

        def step_ended(step: int, told: Any) -> None:
            total = len(pipe.scheduler.timesteps)
            emit(Progress(f"Step {step} of {total}", step, total))

        with _watched(pipe.prior, step_ended):
            latents = pipe(**given, generator=noise, output_type="latent").images
        solid, field = self._surface(latents, side, emit)
        output = SolidOutput(solid=solid.scaled_to(request.size_mm or SIZE_MM), picture=request.image, field=field)
        return Outcome(output=output, facts={"triangles": len(solid.faces)})

    def _surface(self, latents: Any, side: int, emit: Emit) -> tuple[Solid, Any]:
        """The surface, and the field of signed distances (side, side, side), positive within, that it was found in.

        Both in our axes: Shap-E's z points up and its -y to who looks.
        """
        import torch

        renderer: Any = self._parts.shap_e_renderer
        with torch.no_grad():
            _take(renderer, latents[:1])
            low, high = (torch.as_tensor(b, device=latents.device) for b in _bounds(renderer))
            axis = torch.linspace(0, 1, side, device=latents.device)
            points: Any = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).reshape(-1, 3)
            told: list[Any] = []
            for part in points.split(_AT_ONCE):
                emit(Progress("Asking the field where it is solid", len(told) * _AT_ONCE, len(points)))
                told.append(_asked(renderer, low + part * (high - low)).signed_distance.reshape(-1).float().cpu())
            field = torch.cat(told).numpy().reshape(side, side, side)
            emit(Progress("Finding its surface"))
            vertices, faces = surface(field)
            if not len(faces):
                raise CorruptWeights(_NO_SURFACE)
            places: Any = low + torch.as_tensor(vertices / (side - 1), device=latents.device).float() * (high - low)
            channels = [_asked(renderer, part).channels[0].float().cpu() for part in places.split(_AT_ONCE)]
        return _solid(places.cpu().numpy(), faces, torch.cat(channels).numpy()), field.transpose(0, 2, 1)[:, :, ::-1]


def _take(renderer: Any, latents: Any) -> None:
    """Put the field's own numbers, which the latents stand for, into the network that answers for it."""
    found = renderer.params_proj(latents)
    for name, parameter in renderer.mlp.state_dict().items():
        if f"nerstf.{name}" in found:
            parameter.copy_(found[f"nerstf.{name}"].squeeze(0))


def _bounds(renderer: Any) -> tuple[Any, Any]:
    return renderer.volume.bbox_min, renderer.volume.bbox_max


def _asked(renderer: Any, places: Any) -> Any:
    """What the field says of places (n, 3): distances and colours."""
    position = places[None].to(renderer.mlp.dtype)
    return renderer.mlp(position=position, direction=None, ts=None, nerf_level="fine", rendering_mode="stf")


@contextmanager
def _watched(module: Any, called: Callable[[int, Any], None]) -> Iterator[None]:
    """Within the block, `called` is told of each call of the module: its number, from 1, and what it gave.

    These pipelines tell of no steps themselves. An error in it, as `Cancelled`, ends the run.
    """
    count = 0

    def hook(module: Any, given: Any, told: Any) -> None:
        nonlocal count
        count += 1
        called(count, told)

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def _solid(places: Any, faces: Any, colours: Any) -> Solid:
    """The solid in our axes."""
    import numpy

    x, y, z = places.T
    return Solid(
        vertices=numpy.stack([x, z, -y], axis=1).astype(numpy.float32),
        faces=faces.astype(numpy.int32),
        colours=(colours.clip(0, 1) * 255).astype(numpy.uint8),
    )


def _alone(picture: Image, tolerance: float) -> Image:
    """The object alone on white, as the model learned from; else the picture."""
    try:
        return alone(cut_out(picture, tolerance=tolerance), 255, _SHARE)
    except InvalidRequest:
        return picture.convert("RGB")
