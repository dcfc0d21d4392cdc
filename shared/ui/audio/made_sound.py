"""The player of a sound that was made, and the button that saves it."""

from __future__ import annotations

import gradio as gr


def made_sound(label: str, name: str) -> gr.Audio:
    """Hidden until there is a sound. `name`: its id."""
    return gr.Audio(
        label=label,
        type="filepath",
        interactive=False,
        visible=False,
        buttons=["download"],
        elem_id=name,
        waveform_options=gr.WaveformOptions(show_recording_waveform=False),
    )
