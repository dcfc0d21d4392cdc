"""What Gradio does with what people send before any code of ours sees it, kept within bounds."""

from __future__ import annotations

from typing import Any, NoReturn

WORDS = "Files are taken from your own machine, and not fetched from other servers. Save it first, then upload it."


def guard_inputs() -> None:
    """From now on Gradio fetches no file for a visitor, and opens no picture larger than we do.

    It would fetch one of any size from the open internet: nothing here asks it to, but a program may name an address in
    place of any file. Pillow refuses pictures of more than twice the pixels that are set here.
    """
    from gradio import processing_utils
    from PIL import Image

    from shared.media.opening import MAX_PIXELS

    guarded: Any = processing_utils
    guarded.async_ssrf_protected_download = _not_fetched_later
    guarded.ssrf_protected_download = guarded.save_url_to_cache = _not_fetched
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def _not_fetched(url: str, cache_dir: str) -> NoReturn:
    import gradio as gr

    raise gr.Error(WORDS, print_exception=False)


async def _not_fetched_later(url: str, cache_dir: str) -> NoReturn:
    _not_fetched(url, cache_dir)
