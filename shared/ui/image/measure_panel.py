"""Compare, measure: figures for pictures that were put in, and for two sets of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.image.measuring import clip, perceptual
from shared.image.measuring.measures import CLIP, INCEPTION, LABELS, Asked, Figure, measure
from shared.media.opening import open_picture, to_part
from shared.requests import ImagePart
from shared.streaming import CancelToken, Emit
from shared.ui.running import RunRow, Shown, done_meanwhile
from shared.ui.sessions import Runs, with_keys

HINT = (
    "Put in pictures, and others to compare them with: of another engine, another quantization, or real ones. PSNR and "
    "SSIM need nothing more; the others need weights, which are downloaded at their first use."
)
KINDS = [".png", ".jpg", ".jpeg", ".webp", ".gif"]


class MeasurePanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        many: dict[str, Any] = {"file_count": "multiple", "file_types": KINDS, "height": 140}
        with gr.Row():
            self.first = gr.File(label="Pictures", elem_id="measure-first", **many)
            self.second = gr.File(label="To compare with", elem_id="measure-second", **many)
        self.wanted = gr.CheckboxGroup(
            [(label, name) for name, label in LABELS.items()],
            value=["likeness"],
            label="Measure",
            elem_id="measure-what",
        )
        self.prompt = gr.Textbox(label="What they should show (CLIP score)", max_lines=4, elem_id="measure-prompt")
        with gr.Accordion("Models that measure", open=False):
            self.clip = gr.Textbox(
                clip.USUAL, label="CLIP", info="A Hub id; 1.7 GB. A CLIP model saved as safetensors.",
                elem_id="measure-clip",
            )  # fmt: skip
            self.lpips = gr.Textbox(
                perceptual.USUAL, label="VGG16 (LPIPS)", info="A Hub id; 0.6 GB.", elem_id="measure-lpips"
            )
            self.features = gr.Radio(
                [("CLIP's", CLIP), ("Inception v3's, as published", INCEPTION)],
                value=CLIP, label="FID and KID from features of", elem_id="measure-features",
            )  # fmt: skip
        self.row = RunRow("Measure", "measure")
        self.table = gr.HTML("", elem_id="measure-table")

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        inputs = [self.first, self.second, self.wanted, self.prompt, self.clip, self.lpips, self.features, keys]
        self.row.wire(self._runs, self._measure, inputs, [self.table], no_engine=True)

    def _measure(
        self,
        cancel: CancelToken,
        first: Sequence[str] | None,
        second: Sequence[str] | None,
        wanted: Sequence[str],
        prompt: str,
        clip_model: str,
        lpips_model: str,
        features: str,
        keys: Any,
    ) -> Iterator[Shown]:
        settings = with_keys(self._engine.settings, keys)

        def work(emit: Emit) -> list[Figure]:
            asked = Asked(_parts(first), _parts(second), prompt or "", clip_model, lpips_model, features)
            return measure(wanted or [], asked, settings, emit)

        figures = yield from done_meanwhile(work, "Opening the pictures", cancel, 1)
        yield Shown([gr.skip()], note="Stopped by you.") if figures is None else Shown([_table(figures)])


def _parts(paths: Sequence[str] | None) -> list[ImagePart]:
    """The pictures, opened under our own limits. Raises `InvalidRequest`."""
    return [to_part(open_picture(path)) for path in paths or []]


def _table(figures: Sequence[Figure]) -> str:
    rows = "".join(f"<tr><th>{escape(f.name)}</th><td>{_value(f)}</td></tr>" for f in figures)
    return f'<div class="pg-scroll"><table class="pg-table">{rows}</table></div>' if rows else ""


def _value(figure: Figure) -> str:
    if figure.error:
        return f'<div class="pg-note pg-warn">{escape(figure.error)}</div>'
    return f'<b>{escape(figure.value)}</b><div class="pg-quiet">{escape(figure.about)}</div>'
