"""Whisper by transformers, from the Hub or a folder."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.audio.listening.features import features
from shared.audio.listening.loaded import Written
from shared.audio.listening.rows import Listener
from shared.settings import Settings
from shared.streaming import Emit

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

_LONGEST = 224  # tokens of a window


class HubWhisper:
    """On this machine's processor, in float32."""

    def __init__(self, listener: Listener, settings: Settings, emit: Emit) -> None:
        import transformers

        from shared.backends.local import hub
        from shared.backends.local.loading import SAFE, read_config, read_model
        from shared.backends.local.sources import Source, check_folder, is_path

        library: Any = transformers
        if is_path(listener.repo_id):
            source = Source(Path(listener.repo_id))
        else:
            got = hub.fetch(listener.repo_id, settings, emit)
            source = Source(got.path, None, got.revision)
        check_folder(source.folder)
        read_config(source.folder)
        options = {"use_safetensors": True, **SAFE}
        self._model: Any = read_model(library.WhisperForConditionalGeneration, source, options).eval()
        self._tokenizer: Any = library.AutoTokenizer.from_pretrained(source.folder, **SAFE)
        self._multilingual = listener.languages != ("en",)
        self.versions = {"transformers": importlib.metadata.version("transformers")}

    def write(self, samples: Samples, language: str | None, emit: Emit) -> Written:
        """See `Reader`."""
        import torch

        from shared.backends.local.failures import within_memory
        from shared.backends.local.torch_model import check_between_layers

        heard = torch.from_numpy(features(samples, self._model.config.num_mel_bins))
        with torch.inference_mode(), check_between_layers(self._model, emit):
            ids, language = within_memory(lambda: self._ids(heard, language))
        return Written(self._tokenizer.decode(ids[0], skip_special_tokens=True).strip(), language or "en")

    def _ids(self, heard: Any, language: str | None) -> tuple[Any, str | None]:
        """What the model writes, and the language it was told or found."""
        told: dict[str, Any] = {}
        if self._multilingual:
            language = language or self._language(heard)
            told = {"language": language, "task": "transcribe"}
        return self._model.generate(heard, max_new_tokens=_LONGEST, do_sample=False, **told), language

    def _language(self, heard: Any) -> str:
        """The language's tag, as the model finds it."""
        token = int(self._model.detect_language(input_features=heard)[0])
        return str(self._tokenizer.convert_ids_to_tokens(token)).strip("<|>")
