"""Frames to an MP4 file, written while they come: x264 encodes one frame as the next is drawn."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from shared.errors import BackendError

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITY = "18"  # x264's constant rate factor: 0 is lossless, 18 looks so, 51 is the worst
# Without it equal frames give one of several files, by how their memory is aligned.
SAME = {"x264-params": "cpu-independent=1"}
_AHEAD = 8  # frames that may wait: whoever draws faster than x264 writes has to wait for it


class Encoder:
    """Takes frames one by one, all of the first one's size; `finish` gives the file. Odd sides grow by one pixel.

    The work is done in a thread of its own, so that drawing goes on. `close` may be called twice.
    """

    def __init__(self, fps: float) -> None:
        self.fps, self.count = fps, 0
        self.size = (0, 0)
        self._frames: queue.Queue[Image | None] = queue.Queue(_AHEAD)
        self._file = io.BytesIO()
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._ended = False  # the last frame was taken

    def add(self, frame: Image) -> None:
        """The next frame. Raises `BackendError` where one before it couldn't be written."""
        self._check()
        if self._thread is None:
            self.size = (frame.width + frame.width % 2, frame.height + frame.height % 2)
            self._thread = threading.Thread(target=self._work, name="encode", daemon=True)
            self._thread.start()
        self.count += 1
        self._frames.put(frame)

    def finish(self) -> bytes:
        """The whole file; empty where no frame came. Raises `BackendError`."""
        self.close()
        self._check()
        return self._file.getvalue()

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None and self._thread.is_alive():
            self._frames.put(None)
            self._thread.join()

    def _check(self) -> None:
        if self._error is not None:
            raise BackendError(
                f"The clip can't be written ({type(self._error).__name__}). Choose another size, or try again."
            )

    def _work(self) -> None:
        try:
            self._write()
        except BaseException as error:
            self._error = error
            while not self._ended:  # whoever adds frames mustn't wait for ever
                self._next()

    def _next(self) -> Image | None:
        frame = self._frames.get()
        self._ended = frame is None
        return frame

    def _write(self) -> None:
        import av

        with av.open(self._file, "w", format="mp4") as container:
            stream: Any = container.add_stream("libx264", rate=Fraction(self.fps).limit_denominator(1001))
            stream.width, stream.height = self.size
            stream.pix_fmt = "yuv420p"
            stream.options = {"crf": QUALITY, "preset": "veryfast"} | SAME
            stream.codec_context.thread_count = 1  # the cores are for who draws
            while (frame := self._next()) is not None:
                make: Any = av.VideoFrame.from_image
                container.mux(stream.encode(make(_even(frame, self.size))))
            container.mux(stream.encode(None))


def encode(frames: Iterable[Image], fps: float) -> bytes:
    """All frames as one MP4 file. Raises `BackendError`."""
    encoder = Encoder(fps)
    try:
        for frame in frames:
            encoder.add(frame)
    finally:
        encoder.close()
    return encoder.finish()


def _even(frame: Image, size: tuple[int, int]) -> Image:
    """x264 takes even sides; the edge's own colours fill what is added."""
    frame = frame.convert("RGB")
    if frame.size == size:
        return frame
    from PIL import ImageOps

    return ImageOps.fit(frame, size) if frame.width > size[0] else frame.resize(size)
