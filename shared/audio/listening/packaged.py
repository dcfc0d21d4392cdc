"""Whisper by CTranslate2, from optional packages. Radford et al. 2022 (https://arxiv.org/abs/2212.04356)."""

from __future__ import annotations

import importlib.metadata
import os
from typing import TYPE_CHECKING, Any

from shared.audio.listening.features import features
from shared.audio.listening.files import folder_of
from shared.audio.listening.loaded import Written
from shared.audio.listening.rows import Listener
from shared.settings import Settings
from shared.streaming import Emit

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

_LONGEST = 224  # tokens of a window, half of what the model reads


class PackagedWhisper:
    """In float32, by all cores."""

    def __init__(self, listener: Listener, settings: Settings, emit: Emit) -> None:
        import ctranslate2
        from tokenizers import Tokenizer

        folder = folder_of(listener, settings.data_dir)
        threads = settings.threads or os.cpu_count() or 1
        self._model: Any = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="float32", intra_threads=threads
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.versions = {"ctranslate2": importlib.metadata.version("ctranslate2")}

    def write(self, samples: Samples, language: str | None, emit: Emit) -> Written:
        """See `Reader`."""
        import ctranslate2

        heard = ctranslate2.StorageView.from_array(features(samples))
        prompt = ["<|startoftranscript|>"]
        if self._model.is_multilingual:
            language = language or self._model.detect_language(heard)[0][0][0].strip("<|>")
            prompt += [f"<|{language}|>", "<|transcribe|>"]
        found = self._model.generate(heard, [[*prompt, "<|notimestamps|>"]], beam_size=5, max_length=_LONGEST)
        text: str = self._tokenizer.decode(found[0].sequences_ids[0], skip_special_tokens=True)
        return Written(text.strip(), language or "en")
