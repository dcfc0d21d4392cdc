"""Loads a speech model's folder by transformers' own classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.backends.local import hub
from shared.backends.local.loading import SAFE, read_config, read_model, torch_device
from shared.backends.local.sources import Source, check_folder, is_path
from shared.backends.speech.families import FAMILIES, Family, Loaded
from shared.catalog import Variant
from shared.errors import BackendError, CorruptWeights, UnknownModel
from shared.events import Progress
from shared.settings import Settings
from shared.streaming import Emit

SPEAKERS = "speakers.safetensors"
_FILES = (*hub.MODEL_FILES, "*.npy")  # Bark's voices are arrays, which are opened without pickles


def load(variant: Variant, settings: Settings, emit: Emit) -> Loaded:
    """The variant's model, ready to speak. Raises `BackendError` for a family that isn't known here."""
    source = _find(variant.repo_id, variant.revision, settings, emit)
    config = read_config(source.folder)
    family = FAMILIES.get(config.model_type)
    if family is None:
        known = ", ".join(sorted(FAMILIES))
        raise BackendError(f"{source.name} is of the kind {config.model_type}, and these speak here: {known}.")
    _fetch_codec(source.folder, settings, emit)
    device = torch_device(variant)
    emit(Progress(f"Loading {source.name}"))
    model = _model(family, source, device)
    emit.check()
    return Loaded(
        model=model,
        reader=_reader(family, source),
        vocoder=_vocoder(family, variant, source, device, settings, emit),
        speakers=_speakers(source, getattr(config, "speaker_embedding_dim", 0)),
        device=device,
        dtype=str(model.dtype).removeprefix("torch."),
        revision=source.revision,
    )


def _find(repo_id: str, revision: str | None, settings: Settings, emit: Emit) -> Source:
    """The folder, from this machine or the Hub, its weights checked."""
    folder = Path(repo_id).expanduser()
    if is_path(repo_id):
        if not folder.is_dir():
            raise UnknownModel(f"There is no folder {folder.name}. Check the path, or give a Hub id: owner/name.")
        source = Source(folder)
    else:
        got = hub.fetch(repo_id, settings, emit, revision=revision, allow_patterns=_FILES)
        source = Source(got.path, None, got.revision)
    check_folder(source.folder)
    return source


def _model(family: Family, source: Source, device: str) -> Any:
    import torch
    import transformers

    # In full precision: durations and spectra suffer audibly from less, and these models are small.
    options = {"dtype": torch.float32, "use_safetensors": True, **SAFE}
    return read_model(getattr(transformers, family.model), source, options).to(device).eval()


def _speakers(source: Source, size: int) -> dict[str, Any]:
    """The voices of a file `speakers.safetensors` beside the model: a vector of that size for each name.

    Raises `CorruptWeights` for others.
    """
    file = source.folder / SPEAKERS
    if not file.is_file() or not size:
        return {}
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found: dict[str, Any] = load_file(file)
    except SafetensorError as error:
        raise CorruptWeights(f"{SPEAKERS} of {source.name} can't be read. Write it again.") from error
    wrong = next((name for name, vector in found.items() if vector.numel() != size), None)
    if wrong is not None:
        raise CorruptWeights(f"The voice {wrong!r} in {SPEAKERS} must be {size} numbers. Write it again.")
    return found


def _reader(family: Family, source: Source) -> Any:
    import transformers

    return getattr(transformers, family.reader).from_pretrained(source.folder, **SAFE)


def _fetch_codec(folder: Path, settings: Settings, emit: Emit) -> None:
    """A processor may name a codec of another repository: it is brought here first, since nothing else looks there."""
    file = folder / "processor_config.json"
    if not file.is_file():
        return
    try:
        named = json.loads(file.read_text(encoding="utf-8")).get("audio_tokenizer", {})
        repo_id = named.get("audio_tokenizer_name_or_path", "")
    except (ValueError, AttributeError):
        return
    if isinstance(repo_id, str) and repo_id and not is_path(repo_id):
        hub.fetch(repo_id, settings, emit, allow_patterns=_FILES)


def _vocoder(family: Family, variant: Variant, source: Source, device: str, settings: Settings, emit: Emit) -> Any:
    """What makes sound of spectra: the folder's own, the variant's, or the family's usual one."""
    if not family.vocoder:
        return None
    import transformers

    library: Any = transformers
    own = source.folder / "vocoder"
    repo_id = str(own) if own.is_dir() else str(variant.options.get("vocoder") or family.vocoder)
    found = _find(repo_id, None, settings, emit)
    return library.SpeechT5HifiGan.from_pretrained(found.folder, use_safetensors=True, **SAFE).to(device).eval()
