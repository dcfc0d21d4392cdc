"""A drawing shows its first preview at once, and keeps what there was when it breaks off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageOps

from shared.errors import BackendError
from shared.events import Event, Final, Preview, Progress
from shared.image.drawing import drawings
from shared.image.finishing import previews_looked_over
from shared.outputs import ImageOutput
from shared.receipts import Receipt
from shared.requests import ImagePart
from shared.settings import Settings

RECEIPT = Receipt(model="m", name="M", task="text-to-image", backend="fake", mode="local", license="MIT")
PICTURE = Image.new("RGB", (2, 2))


def run(*events: Event, error: BackendError | None = None) -> Iterator[Event]:
    yield from events
    if error:
        raise error


def test_the_first_preview_is_shown_at_once_and_its_step_stays_told() -> None:
    parts = (ImagePart(b"one", "image/png"), ImagePart(b"two", "image/png"))
    final = Final(ImageOutput(images=parts, seeds=(5, 6)), RECEIPT)
    events = run(Progress("Loading"), Progress("Step 1 of 4", 1, 4), Preview(PICTURE), final)
    loading, drawing, last = drawings(events, interval=60)
    assert loading.status == "Loading" and loading.preview is None
    assert drawing.status == "Step 1 of 4 · 25%" and drawing.preview is PICTURE and not drawing.done
    assert last.done and last.images == parts and last.finish_reason == "stop" and last.status == ""
    assert [last.seed_of(place) for place in (0, 1, 2)] == [5, 6, None]


def test_a_drawing_that_breaks_off_keeps_its_preview_and_says_why() -> None:
    error = BackendError("It broke.")
    *_, last = drawings(run(Preview(PICTURE), error=error), interval=60)
    assert last.done and last.error is error and last.preview is PICTURE and last.receipt is None


def test_from_a_preview_on_that_the_check_would_cover_previews_are_covered(tmp_path: Path) -> None:
    # Brown at its middle, white at its corners: the check takes this for skin, and is wrong.
    skin = ImageOps.colorize(Image.radial_gradient("L"), "#402010", "white")
    plain = Image.new("RGB", skin.size, "red")
    strip = Image.new("L", skin.size)
    strip.paste(255, (0, 0, 4, 256))
    lined = Image.composite(Image.new("RGB", skin.size), plain, strip)
    for safety, covered in (("standard", [False, True, True]), ("off", [False] * 3)):
        grows = drawings(run(Preview(lined), Preview(skin), Preview(lined)), interval=0)
        shown = [drawing.preview for drawing in previews_looked_over(grows, Settings(data_dir=tmp_path, safety=safety))]
        assert [one is not given for one, given in zip(shown, [lined, skin, lined], strict=True)] == covered
        edge = shown[2].getpixel((4, 128)) if shown[2] else None
        assert (edge == (255, 0, 0)) is not covered[2]
