"""More frames a second than were made: those between are guessed from how blocks of the picture move."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from shared.errors import InvalidRequest
from shared.video.encoding import encode
from shared.video.reading import MAX_SIDE, measure, opened

TIMES = (2, 3, 4)
MOST_WORK = 1280 * 720 * 600  # pixels of all frames made


def smooth(video: bytes, times: int) -> bytes:
    """The clip with `times` as many frames a second, just as long. Raises `InvalidRequest`.

    By ffmpeg's minterpolate: overlapped block motion compensation, forwards and backwards.
    """
    if times not in TIMES:
        raise InvalidRequest(f"Choose {', '.join(map(str, TIMES))} times as many frames; not {times}.")
    known = measure(video)
    if max(known.width, known.height) > MAX_SIDE or known.width * known.height * known.seconds * known.fps * times > (
        MOST_WORK
    ):
        raise InvalidRequest("This clip is too large to guess frames for here. Make it shorter or smaller.")
    return encode(_frames(video, known.fps * times), known.fps * times)


def _frames(video: bytes, fps: float) -> Iterator[Any]:
    from av.filter import Graph

    with opened(video) as container:
        stream = container.streams.video[0]
        graph: Any = Graph()
        rate = Fraction(fps).limit_denominator(1001)
        chain = [
            graph.add_buffer(template=stream, time_base=stream.time_base),
            graph.add("minterpolate", f"fps={rate.numerator}/{rate.denominator}:mi_mode=mci:mc_mode=aobmc:vsbmc=1"),
            graph.add("format", "pix_fmts=yuv420p"),
            graph.add("buffersink"),
        ]
        for one, following in itertools.pairwise(chain):
            one.link_to(following)
        graph.configure()
        for frame in container.decode(video=0):
            graph.push(frame)
            yield from _ready(graph)
        graph.push(None)
        yield from _ready(graph)


def _ready(graph: Any) -> Iterator[Any]:
    import av

    while True:
        try:
            yield graph.pull().to_image()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
