"""Makes the shown picture four times as large on each side; what made it stays in the new file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from shared.errors import InferenceError
from shared.media import png, upscaling
from shared.media.labelling import KEYWORD
from shared.media.opening import open_picture, to_part
from shared.operation import beside
from shared.settings import Settings
from shared.ui.running import quiet

KINDS = [("Quick", "quick"), ("Fine (slow)", "fine")]


class LargerPanel:
    """The button and how it is done; greyed out with the reason where this machine can't."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        reason = _missing()
        with gr.Row(elem_id="larger-row"):
            self.kind = gr.Radio(
                KINDS, value="quick", label="Make it four times as large", info=reason, interactive=not reason, scale=3
            )
            self.run = gr.Button("Enlarge", size="sm", interactive=not reason, elem_id="larger", min_width=90, scale=1)

    def wire(self, picture: Any, told: Any) -> None:
        """Connect the event."""
        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        self.run.click(self._enlarge, [picture, self.kind], [picture, told], concurrency_limit=1, **options)

    def _enlarge(self, path: str | None, kind: str) -> Iterator[tuple[Any, str]]:
        if not path:
            yield gr.skip(), '<div class="pg-note" role="status">Draw a picture first.</div>'
            return
        try:
            data = Path(path).read_bytes()
            with beside.turn() as waiting:
                for told in waiting:
                    yield gr.skip(), quiet(told)
                yield gr.skip(), quiet("Making it larger…")
                larger = to_part(upscaling.upscale(open_picture(data), kind, self._settings)).data
        except InferenceError as error:
            raise gr.Error(str(error), print_exception=False) from None
        kept = png.texts(data, frozenset({KEYWORD, "parameters"})) if data.startswith(png.SIGNATURE) else {}
        file = Path(tempfile.mkdtemp(prefix="playground-larger-")) / f"{Path(path).stem}-x4.png"
        file.write_bytes(png.with_texts(larger, kept))
        words = f"Made larger by Real-ESRGAN ({kind}). The receipt in the file is that of the small one."
        yield str(file), f'<div class="pg-note" role="status">{words}</div>'


def _missing() -> str | None:
    try:
        upscaling.check()
    except InferenceError as error:
        return str(error)
    return None
