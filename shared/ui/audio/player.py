"""The player: hears and draws a sound while it is still being made."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from shared.ui.audio.hearing import Hearing
from shared.ui.languages.scripts import read_script

_SCRIPT = Path(__file__).with_name("player.js")
_PAGE = """
<div class="pg-player {size}">
  <canvas data-pg="wave" width="1200" height="160" role="img" aria-label="Waveform of the speech"></canvas>
  <canvas data-pg="mel" width="1200" height="160" role="img" aria-label="Mel spectrogram of the speech"></canvas>
  <div class="pg-player-row">
    <button type="button" data-pg="pause">Pause</button>
    <label><input type="checkbox" data-pg="play" checked> Play while it is made</label>
    <span data-pg="clock" class="pg-quiet"></span>
  </div>
  <div data-pg="caption" class="pg-caption" aria-hidden="true"></div>
</div>
"""
_LOOK = """
canvas { display: block; width: 100%; height: 80px; border-radius: 6px; margin-bottom: 6px;
  background: var(--block-background-fill); border: 1px solid var(--border-color-primary); color: var(--primary-600); }
.pg-small canvas, .pg-small:not(.pg-begun) { display: none; }
.pg-player-row { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: center; font-size: 0.9rem; }
.pg-player-row button { padding: 2px 12px; font: inherit; cursor: pointer; border-radius: 6px;
  border: 1px solid var(--border-color-primary);
  background: var(--button-secondary-background-fill); color: inherit; }
.pg-caption { min-height: 1.6em; margin-top: 4px; overflow-wrap: anywhere; }
"""
# The page names the run, so that it can ask for its pieces from the first on.
BEGIN = """(...values) => {
  values[0] = window.pgSpeech ? window.pgSpeech.begin() : '';
  document.querySelector('.pg-player')?.scrollIntoView({block: 'nearest', behavior: 'smooth'});
  return values;
}"""
STOP = "() => { if (window.pgSpeech) window.pgSpeech.stop(); }"


def build(hearing: Hearing, elem_id: str, *, small: bool = False) -> gr.HTML:
    """The component. It is never an output: showing it anew would wipe what is drawn.

    `small`: without the pictures, and not to be seen before there is something to hear.
    """
    return gr.HTML(
        "",
        html_template=_PAGE.replace("{size}", "pg-small" if small else ""),
        css_template=_LOOK,
        js_on_load=read_script(_SCRIPT),
        server_functions=[_listening(hearing)],
        elem_id=elem_id,
    )


def _listening(hearing: Hearing):  # type: ignore[no-untyped-def] # Gradio marks the function, and can't mark a method
    def listen(asked):  # type: ignore[no-untyped-def]
        return hearing.listen(asked)

    return listen
