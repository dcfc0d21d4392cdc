"""ComfyUI's websocket: which step a job is at, and previews of it.

Its messages: https://docs.comfy.org/development/comfyui-server/comms_messages. A preview is a binary one: four bytes
for its kind, four for the picture's format, then the picture.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from shared.backends.hosted.account import is_loopback
from shared.backends.hosted.comfy_graph import DRAW
from shared.backends.hosted.http import tls
from shared.backends.hosted.image_model import ImageCall, ImagePiece

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

PREVIEW = b"\0\0\0\1"
LARGEST = 4 * 2**20  # bytes of a message: a preview is far smaller
OPENING, CLOSING = 3.0, 0.2  # seconds at most: without the socket a job is drawn all the same


@asynccontextmanager
async def listening(call: ImageCall, client: str) -> AsyncIterator[Heard]:
    """What the server tells the client of that name while the block lasts; nothing where it takes no socket."""
    heard, socket = Heard(), None
    with suppress(Exception):
        socket = await _open(call, client)
    if socket is None:
        yield heard
        return
    async with socket:
        reader = asyncio.create_task(heard.read(socket))
        try:
            yield heard
        finally:
            reader.cancel()


async def _open(call: ImageCall, client: str) -> ClientConnection:
    from websockets.asyncio.client import connect

    address = call.account.root
    secure = address.startswith("https:")
    return await connect(
        f"ws{address.removeprefix('http')}/ws?clientId={client}",
        ssl=tls() if secure else None,
        proxy=None if is_loopback(call.account.host) else True,
        open_timeout=min(OPENING, call.settings.connect_timeout),
        close_timeout=CLOSING,
        max_size=LARGEST,
    )


class Heard:
    """Messages as they came, understood once it is known which job they may be of.

    A job that somebody sent without a client's name is told to all: what isn't of one's own job is left out.
    """

    def __init__(self) -> None:
        self._messages: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._now = ""  # the job that the server draws
        self._step: int | None = None
        self._total: int | None = None

    async def read(self, socket: ClientConnection) -> None:
        """Take in what comes, until it ends."""
        with suppress(Exception):  # a connection that breaks leaves what came
            async for message in socket:
                self._messages.put_nowait(message)

    async def within(self, seconds: float, job: str) -> AsyncIterator[ImagePiece]:
        """Steps and previews of that job, for that long; for less where it ended."""
        now = asyncio.get_running_loop().time
        end = now() + seconds
        while (left := end - now()) > 0:
            try:
                message = await asyncio.wait_for(self._messages.get(), left)
            except TimeoutError:
                return
            if isinstance(message, bytes):
                if self._now == job and message.startswith(PREVIEW):
                    yield ImagePiece(preview=message[8:], step=self._step, total=self._total)
                continue
            kind, data = _told(message)
            self._now = str(data.get("prompt_id", self._now))
            if self._now != job:
                continue
            if (kind == "executing" and data.get("node") is None) or kind in _ENDINGS:
                return
            if kind == "progress" and (piece := self._stepped(data)) is not None:
                yield piece

    def _stepped(self, data: dict[str, Any]) -> ImagePiece | None:
        step, total = data.get("value"), data.get("max")
        if data.get("node", DRAW) != DRAW or not isinstance(step, int) or not isinstance(total, int):
            return None
        self._step, self._total = step, total
        return ImagePiece(progress=f"Step {step} of {total}", step=step, total=total)


_ENDINGS = frozenset({"execution_success", "execution_error", "execution_interrupted"})


def _told(message: str) -> tuple[str, dict[str, Any]]:
    """A message's kind and what it tells; nothing where it makes no sense."""
    try:
        body = json.loads(message)
        return str(body["type"]), dict(body["data"])
    except (ValueError, KeyError, TypeError):
        return "", {}
