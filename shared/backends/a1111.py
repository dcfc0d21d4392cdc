"""AUTOMATIC1111's web UI, and Forge, by their own API: previews come from the server's progress as it draws."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from shared.backends.hosted.account import Account, account_at
from shared.backends.hosted.drawing import DRAWERS, SERVERS, DrawingProfile
from shared.backends.hosted.image_model import HostedImages, ImageCall, ImagePiece
from shared.backends.hosted.pictures import from_base64, no_picture
from shared.backends.hosted.watching import watched
from shared.backends.hosted.webui_progress import Progress
from shared.errors import InvalidRequest, OutOfMemory
from shared.media.samplers import sampler_name
from shared.requests import ImageRequest

if TYPE_CHECKING:
    import httpx2

    from shared.catalog import Variant
    from shared.settings import Settings

LOADED = "loaded"  # the name that means whichever model the server has loaded


class A1111(HostedImages):
    """`variant.repo_id`: a checkpoint by the server's own name for it, or "loaded"."""

    package = distribution = "httpx2"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Where the deployer's settings say it is. Raises `BackendError` where visitors may not use it."""
        return account_at(SERVERS["a1111"], settings)

    def profile(self, variant: Variant) -> DrawingProfile:
        """The same for every model."""
        return DRAWERS["a1111"].default

    async def stream(self, call: ImageCall) -> AsyncIterator[ImagePiece]:
        """All pictures in one call; what the server says of its progress in between."""
        root, task = call.account.root, f"task({secrets.token_hex(8)})"
        path = "txt2img" if call.request.image is None else "img2img"
        progress = Progress(call, root, task)
        asked = call.http.post(f"{root}/sdapi/v1/{path}", json={**_body(call), "force_task_id": task})
        async for piece in watched(asked, progress.look, progress.stop):
            if isinstance(piece, ImagePiece):
                yield piece
            else:
                for picture in _pictures(piece, call):
                    yield picture
        yield ImagePiece(finish="stop")


def _body(call: ImageCall) -> dict[str, Any]:
    request, size = call.request, call.size
    body: dict[str, Any] = {
        "prompt": request.prompt,
        "n_iter": call.count,
        "batch_size": 1,
        "send_images": True,
        "save_images": False,
        **{theirs: v for ours, theirs in call.profile.sent_as.items() if (v := getattr(request, ours)) is not None},
    }
    if size is not None:
        body |= {"width": size.width, "height": size.height}
    if request.scheduler is not None:
        body["sampler_name"] = sampler_name(request.scheduler)
    if call.variant.repo_id != LOADED:
        body["override_settings"] = {"sd_model_checkpoint": call.variant.repo_id}
    return body | _start(request)


def _start(request: ImageRequest) -> dict[str, Any]:
    """What to begin with: white in the mask is drawn anew there too."""
    if request.image is None:
        return {}
    mask = {"mask": request.mask_image.data_url, "inpainting_fill": 1} if request.mask_image else {}
    return {"init_images": [request.image.data_url], **mask}


def _pictures(answer: httpx2.Response, call: ImageCall) -> Iterator[ImagePiece]:
    """Raises `InvalidRequest`, `OutOfMemory`, `ProviderError`, or what a refusal raises."""
    name = call.account.name
    if answer.status_code >= 400:
        if answer.status_code == 404 and "ampler" in answer.text:
            raise InvalidRequest(f"{name} has no sampler like {call.request.scheduler}. Choose another scheduler.")
        if "OutOfMemory" in answer.text or "out of memory" in answer.text:
            raise OutOfMemory(
                advice=f"{name} ran out of memory. Lower the width and height, or choose a smaller model."
            )
    answer.raise_for_status()
    body = answer.json()
    images = body.get("images") if isinstance(body, dict) else None
    if not isinstance(images, list):
        raise no_picture(name)
    info = _info(body)
    first = info.get("index_of_first_image")  # a sheet of all of them may come before the pictures themselves
    images = images[first if isinstance(first, int) else 0 :][: call.count]
    for number, text in enumerate(images):
        yield ImagePiece(picture=from_base64(str(text), name), seed=call.seed(number))
    served = info.get("sd_model_name")
    yield ImagePiece(facts={"served_model": str(served)} if served else {})


def _info(body: dict[str, Any]) -> dict[str, Any]:
    """What the server says of how it drew, as JSON within the JSON."""
    try:
        info = json.loads(str(body.get("info")))
    except ValueError:
        return {}
    return info if isinstance(info, dict) else {}
