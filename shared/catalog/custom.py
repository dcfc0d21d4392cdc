"""Models that a person names by hand: a Hub id, a path, `provider:model`, or `model@https://server/v1`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.backends import BACKENDS
from shared.catalog import ModelSpec, Variant
from shared.errors import InvalidRequest
from shared.machine import GIB
from shared.settings import Settings
from shared.tasks import Task

# Hugging Face's own rule for repository ids: owner/name of letters, digits, '-', '_' and '.', 96 at most.
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_QUANT = re.compile(r"(?i)\b(I?Q\d(?:_[A-Z0-9]+)*|BF16|F16|F32|MXFP4)\b")
_LONGEST = 1000  # characters of a name
_UNKNOWN_LICENSE = "unknown: see the model's page"
_Found = tuple[str, tuple[Variant, ...]] | None  # a model's name and the ways to run it


@dataclass(frozen=True)
class _Engines:
    """What runs a task's models that are named by hand. `folder`, `hub`: the ways to run a folder or a Hub id.

    `own`: a provider's id to the backend that calls it; `server`: the backend of OpenAI-compatible servers.
    """

    folder: Callable[[str], tuple[Variant, ...]]
    hub: Callable[[str], tuple[Variant, ...]]
    own: Mapping[str, str]
    server: str
    gguf: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)


def resolve(text: str, settings: Settings, task: Task = Task.CHAT) -> ModelSpec | None:
    """The model that `text` names for the task, or None where it has none of these forms or nothing runs such models.

    `owner/name`: a Hub model, run here or by Hugging Face's providers. `owner/name/file.gguf`: one GGUF file
    of it. A path: a GGUF file or a model folder of this machine. `groq:MODEL`, `openai:MODEL`: a provider's
    model by its own name. `MODEL@http://server:8000/v1`: a model of an OpenAI-compatible server.
    Raises `InvalidRequest` for a path on a server that others reach, `BackendError` for an address not to be called.
    """
    text, engines = text.strip(), _ENGINES.get(task)
    if engines is None or len(text) > _LONGEST or not text.isprintable():
        return None
    found = _variants(text, settings, engines)
    if found is None:
        return None
    name, variants = found
    known = tuple(variant for variant in variants if variant.backend in BACKENDS)
    if not known:
        return None
    return ModelSpec(id=text, name=name, task=task, license=_UNKNOWN_LICENSE, variants=known, defaults=engines.defaults)


def _variants(text: str, settings: Settings, engines: _Engines) -> _Found:
    if "://" in text:
        return _server_model(text, engines)
    provider, colon, name = text.partition(":")
    if colon and name and len(provider) > 1:
        return _provider_model(provider, name, engines)
    in_hub = engines.gguf and text.endswith(".gguf") and _HUB_ID.fullmatch("/".join(text.split("/")[:2]))
    if in_hub and (settings.public or not _path(text).exists()):
        owner, repo, *rest = text.split("/")
        return _gguf(text, f"{owner}/{repo}", "/".join(rest)) if rest else None
    if _looks_like_path(text) or (engines.gguf and text.endswith(".gguf")):
        return _local(text, settings, engines)
    return (text.split("/")[1], engines.hub(text)) if _HUB_ID.fullmatch(text) else None


def _looks_like_path(text: str) -> bool:
    return text.startswith(("/", "./", "../", "~", "\\")) or text[1:3] in {":\\", ":/"}


def _local(text: str, settings: Settings, engines: _Engines) -> _Found:
    if settings.public:
        raise InvalidRequest(
            "This server doesn't open paths of its own machine. Give a Hub id, for example owner/name."
        )
    path = _path(text)
    if path.suffix == ".gguf" and engines.gguf:
        return _gguf(text, str(path), None, size=path.stat().st_size / GIB if path.is_file() else 0.0)
    return path.name, engines.folder(str(path))


def _path(text: str) -> Path:
    """The path that `text` names. Raises `InvalidRequest` for what can't be one: too long, or of no such user."""
    try:
        path = Path(text).expanduser()
        path.exists()
    except (OSError, RuntimeError):
        raise InvalidRequest(f"{text[:200]!r} can't be opened as a path of this machine. Check it.") from None
    return path


def _gguf(text: str, repo_id: str, filename: str | None, size: float = 0.0) -> _Found:
    match = _QUANT.search(Path(text).stem.replace("-", " ").replace(".", " "))
    quantization = match.group(1).upper() if match else "GGUF"
    needs = round(size * 1.2, 2)
    variants = (
        Variant(backend="llama_cpp", repo_id=repo_id, filename=filename, quantization=quantization, memory_gb=needs),
        Variant(backend="transformers", repo_id=repo_id, filename=filename, memory_gb=round(size * 7, 2)),
    )
    return Path(text).stem, variants


def _provider_model(provider: str, name: str, engines: _Engines) -> _Found:
    from shared.backends.endpoints import ENDPOINTS

    if provider in engines.own:
        return name, (Variant(backend=engines.own[provider], repo_id=name),)
    if provider in ENDPOINTS:
        variant = Variant(backend=engines.server, repo_id=name, options={"endpoint": provider})
        return f"{name} ({ENDPOINTS[provider].name})", (variant,)
    return None


def _server_model(text: str, engines: _Engines) -> _Found:
    from shared.url_guard import check_url

    model, at, url = text.partition("@")
    if not at or not model or not re.fullmatch(r"https?://\S+", url):
        raise InvalidRequest(
            "Name a server's model as MODEL@http://server:8000/v1, for example llama@http://127.0.0.1:8080/v1."
        )
    check_url(url, public=False)  # before an address that holds a password stands in a name
    return f"{model} at {url}", (Variant(backend=engines.server, repo_id=model, options={"base_url": url}),)


def _text_here(repo_id: str) -> tuple[Variant, ...]:
    openvino = Variant(backend="openvino", repo_id=repo_id, device="cpu", quantization="int8")
    return (Variant(backend="transformers", repo_id=repo_id), openvino)


def _pictures_here(repo_id: str) -> tuple[Variant, ...]:
    return (Variant(backend="diffusers", repo_id=repo_id),)


def _speech_here(repo_id: str) -> tuple[Variant, ...]:
    return (Variant(backend="transformers_speech", repo_id=repo_id),)


def _clips_here(repo_id: str) -> tuple[Variant, ...]:
    return (Variant(backend="diffusers_video", repo_id=repo_id),)


def _sounds_here(repo_id: str) -> tuple[Variant, ...]:
    return (Variant(backend="diffusers_audio", repo_id=repo_id),)


def _solids_here(repo_id: str) -> tuple[Variant, ...]:
    """Of which kind the model is shows when it is opened: one that an engine can't open goes to the next."""
    return tuple(Variant(backend=name, repo_id=repo_id) for name in ("relief", "shap_e", "triposr"))


def _motions_here(repo_id: str) -> tuple[Variant, ...]:
    return (Variant(backend="motion_diffusion", repo_id=repo_id),)


def _music_here(repo_id: str) -> tuple[Variant, ...]:
    return (Variant(backend="musicgen", repo_id=repo_id), *_sounds_here(repo_id))


_ENGINES: Mapping[Task, _Engines] = {
    Task.CHAT: _Engines(
        folder=_text_here,
        hub=lambda repo_id: (*_text_here(repo_id), Variant(backend="huggingface", repo_id=repo_id)),
        own={name: name for name in ("openai", "anthropic", "google", "huggingface")},
        server="openai_compatible",
        gguf=True,
        defaults={"max_tokens": 512},
    ),
    Task.TEXT_TO_IMAGE: _Engines(
        folder=_pictures_here,
        hub=lambda repo_id: (*_pictures_here(repo_id), Variant(backend="huggingface_images", repo_id=repo_id)),
        own={
            "openai": "openai_images",
            "google": "google_images",
            "huggingface": "huggingface_images",
            "a1111": "a1111",
            "comfyui": "comfyui",
        },
        server="openai_compatible_images",
    ),
    Task.TEXT_TO_SPEECH: _Engines(
        folder=_speech_here,
        hub=lambda repo_id: (*_speech_here(repo_id), Variant(backend="huggingface_speech", repo_id=repo_id)),
        own={
            "openai": "openai_speech",
            "google": "google_speech",
            "huggingface": "huggingface_speech",
            "elevenlabs": "elevenlabs",
        },
        server="openai_compatible_speech",
    ),
    Task.TEXT_TO_AUDIO: _Engines(
        folder=_music_here,
        hub=_music_here,
        own={
            "google": "google_music",
            "elevenlabs": "elevenlabs_sound",
            "fal": "fal_sound",
            "replicate": "replicate_sound",
        },
        server="",
    ),
    Task.TEXT_TO_VIDEO: _Engines(
        folder=_clips_here,
        hub=lambda repo_id: (*_clips_here(repo_id), Variant(backend="huggingface_video", repo_id=repo_id)),
        own={
            "google": "google_video",
            "runway": "runway_video",
            "huggingface": "huggingface_video",
            "fal": "fal_video",
            "replicate": "replicate_video",
        },
        server="openai_compatible_video",
    ),
    Task.TEXT_TO_SOUND: _Engines(
        folder=_sounds_here,
        hub=_sounds_here,
        own={"elevenlabs": "elevenlabs_sound", "fal": "fal_sound", "replicate": "replicate_sound"},
        server="",
    ),
    Task.TEXT_TO_3D: _Engines(
        folder=_solids_here,
        hub=_solids_here,
        own={"fal": "fal_solid", "replicate": "replicate_solid", "tripo": "tripo_solid"},
        server="",
    ),
    Task.TEXT_TO_MOTION: _Engines(folder=_motions_here, hub=_motions_here, own={}, server=""),
}
