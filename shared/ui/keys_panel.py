"""Where a visitor types keys of their own. They stay in this session's memory and are never shown again."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.backends import BACKENDS
from shared.settings import KEY_VARIABLES, Secret, Settings

_NAMES = {
    "OPENAI_API_KEY": "OpenAI",
    "ANTHROPIC_API_KEY": "Anthropic",
    "GEMINI_API_KEY": "Google",
    "HF_TOKEN": "Hugging Face",
    "ELEVENLABS_API_KEY": "ElevenLabs",
    "RUNWAYML_API_SECRET": "Runway",
    "FAL_KEY": "fal",
    "REPLICATE_API_TOKEN": "Replicate",
    "TRIPO_API_KEY": "Tripo",
    "CUSTOM_API_KEY": "A server of your own",
}


class KeysPanel:
    """`state` holds environment-variable names and `Secret`s; it never leaves the server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.state = gr.State({})
        choices = [(name_of(variable), variable) for variable in KEY_VARIABLES]
        self.provider = gr.Dropdown(choices, value=KEY_VARIABLES[0], label="Provider")
        self.key = gr.Textbox(label="Key", type="password", elem_id="key", placeholder="Stays in this session's memory")
        with gr.Row():
            self.use = gr.Button("Use this key", size="sm")
            self.forget = gr.Button("Forget my keys", size="sm")
        self.status = gr.HTML(self._status({}), elem_id="keys-status")

    def wire(self, changed: Any) -> None:
        """Connect the events; `changed(event)` chains what depends on the keys."""
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        outputs = [self.state, self.key, self.status]
        changed(self.use.click(self._add, [self.state, self.provider, self.key], outputs, **private))
        changed(self.key.submit(self._add, [self.state, self.provider, self.key], outputs, **private))
        changed(self.forget.click(lambda: ({}, "", self._status({})), None, outputs, **private))

    def _add(self, keys: dict[str, Secret], provider: str, key: str) -> tuple[dict[str, Secret], str, str]:
        if provider in KEY_VARIABLES and key.strip():
            keys = {**keys, provider: Secret(key)}
        return keys, "", self._status(keys)

    def _status(self, keys: dict[str, Secret]) -> str:
        mine = ", ".join(name_of(variable) for variable in keys)
        server = ", ".join(name_of(variable) for variable in self._settings.server_keys)
        rows = [f"Yours, for this session: {mine or 'none'}.", f"Set on this server: {server or 'none'}."]
        return f'<div class="pg-quiet">{"<br>".join(rows)}</div>'


def name_of(variable: str) -> str:
    """The provider's name for a key's environment variable."""
    if variable in _NAMES:
        return _NAMES[variable]
    stem = variable.removesuffix("_API_KEY").lower()
    return BACKENDS[stem].label if stem in BACKENDS else stem.capitalize()
