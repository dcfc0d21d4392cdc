"""ComfyUI by its HTTP API and its websocket: the usual graph of a checkpoint and a prompt, one job a picture."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from shared.backends.hosted.account import Account, account_at
from shared.backends.hosted.comfy_graph import graph, sampler
from shared.backends.hosted.comfy_server import ComfyServer
from shared.backends.hosted.comfy_socket import Heard, listening
from shared.backends.hosted.drawing import DRAWERS, SERVERS, DrawingProfile
from shared.backends.hosted.image_model import HostedImages, ImageCall, ImagePiece
from shared.backends.hosted.pictures import from_bytes
from shared.backends.hosted.watching import EVERY, give_up

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

FIRST = "first"  # the name that means the first checkpoint that the server has


class ComfyUI(HostedImages):
    """`variant.repo_id`: a checkpoint by its file's name there, or "first"."""

    package = distribution = "httpx2"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Where the deployer's settings say it is. Raises `BackendError` where visitors may not use it."""
        return account_at(SERVERS["comfyui"], settings)

    def profile(self, variant: Variant) -> DrawingProfile:
        """The same for every model."""
        return DRAWERS["comfyui"].default

    async def stream(self, call: ImageCall) -> AsyncIterator[ImagePiece]:
        """One job a picture, each with a seed of its own."""
        server, request, client = ComfyServer(call), call.request, secrets.token_hex(8)
        name = call.variant.repo_id
        checkpoint = await server.first_checkpoint() if name == FIRST else name
        yield ImagePiece(facts={"served_model": checkpoint})
        if sampler(request.scheduler) is None:
            why = f"{call.account.name} has no sampler like it; its usual one drew this."
            yield ImagePiece(facts={"unhonoured": {"scheduler": why}})
        image = await server.upload(request.image, f"{client}-image") if request.image else ""
        mask = await server.upload(request.mask_image, f"{client}-mask") if request.mask_image else ""
        size = (call.size.width, call.size.height) if call.size else None
        async with listening(call, client) as heard:
            for number in range(call.count):
                seed = call.seed(number) or 0
                job = await server.submit(graph(request, checkpoint, seed, size, image, mask), client)
                async for piece in _wait(server, job, call, heard):
                    yield piece if piece.picture is None else ImagePiece(picture=piece.picture, seed=seed)
        yield ImagePiece(finish="stop")


async def _wait(server: ComfyServer, job: str, call: ImageCall, heard: Heard) -> AsyncIterator[ImagePiece]:
    """Where the job stands, its previews, and then its picture. A job that is given up is taken back."""
    done = running = stepped = False
    try:
        while (file := await server.finished(job)) is None:
            before = await server.before(job)
            running = before == 0
            if before:
                yield ImagePiece(progress=f"Waiting in {call.account.name}'s line: {before} before yours")
            elif not stepped:
                yield ImagePiece(progress=f"{call.account.name} draws")
            async for piece in heard.within(EVERY, job):
                stepped = True
                yield piece
        done = True
    finally:
        if not done:
            await give_up(lambda: server.drop(job, running))
    yield ImagePiece(picture=from_bytes(await server.view(file), call.account.name))
