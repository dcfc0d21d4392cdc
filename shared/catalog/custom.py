"""Models that a person names by hand: a Hub id, a path, `provider:model`, or `model@https://server/v1`."""

from __future__ import annotations

import re
from pathlib import Path

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


def resolve(text: str, settings: Settings) -> ModelSpec | None:
    """The model that `text` names, or None where it has none of these forms.

    `owner/name`: a Hub model, run here or by Hugging Face's providers. `owner/name/file.gguf`: one GGUF file
    of it. A path: a GGUF file or a model folder of this machine. `groq:MODEL`, `openai:MODEL`: a provider's
    model by its own name. `MODEL@http://server:8000/v1`: a model of an OpenAI-compatible server.
    Raises `InvalidRequest` for a path on a server that others reach, `BackendError` for an address not to be called.
    """
    text = text.strip()
    if len(text) > _LONGEST or not text.isprintable():
        return None
    if "://" in text:
        return _server_model(text)
    provider, colon, name = text.partition(":")
    if colon and name and len(provider) > 1:
        return _provider_model(text, provider, name)
    in_hub = text.endswith(".gguf") and _HUB_ID.fullmatch("/".join(text.split("/")[:2]))
    if in_hub and (settings.public or not _path(text).exists()):
        owner, repo, *rest = text.split("/")
        return _gguf(text, f"{owner}/{repo}", "/".join(rest)) if rest else None
    if _looks_like_path(text):
        return _local(text, settings)
    return _hub(text) if _HUB_ID.fullmatch(text) else None


def _looks_like_path(text: str) -> bool:
    return text.startswith(("/", "./", "../", "~", "\\")) or text.endswith(".gguf") or text[1:3] in {":\\", ":/"}


def _local(text: str, settings: Settings) -> ModelSpec | None:
    if settings.public:
        raise InvalidRequest(
            "This server doesn't open paths of its own machine. Give a Hub id, for example owner/name."
        )
    path = _path(text)
    if path.suffix == ".gguf":
        return _gguf(text, str(path), None, size=path.stat().st_size / GIB if path.is_file() else 0.0)
    variants = (Variant(backend="transformers", repo_id=str(path)), _openvino(str(path)))
    return _spec(text, path.name, variants)


def _path(text: str) -> Path:
    """The path that `text` names. Raises `InvalidRequest` for what can't be one: too long, or of no such user."""
    try:
        path = Path(text).expanduser()
        path.exists()
    except (OSError, RuntimeError):
        raise InvalidRequest(f"{text[:200]!r} can't be opened as a path of this machine. Check it.") from None
    return path


def _gguf(text: str, repo_id: str, filename: str | None, size: float = 0.0) -> ModelSpec | None:
    match = _QUANT.search(Path(text).stem.replace("-", " ").replace(".", " "))
    quantization = match.group(1).upper() if match else "GGUF"
    needs = round(size * 1.2, 2)
    variants = (
        Variant(backend="llama_cpp", repo_id=repo_id, filename=filename, quantization=quantization, memory_gb=needs),
        Variant(backend="transformers", repo_id=repo_id, filename=filename, memory_gb=round(size * 7, 2)),
    )
    return _spec(text, Path(text).stem, variants)


def _hub(text: str) -> ModelSpec | None:
    variants = (
        Variant(backend="transformers", repo_id=text),
        _openvino(text),
        Variant(backend="huggingface", repo_id=text),
    )
    return _spec(text, text.split("/")[1], variants)


def _openvino(repo_id: str) -> Variant:
    return Variant(backend="openvino", repo_id=repo_id, device="cpu", quantization="int8")


def _provider_model(text: str, provider: str, name: str) -> ModelSpec | None:
    from shared.backends.endpoints import ENDPOINTS, PROVIDERS

    if provider in PROVIDERS:
        return _spec(text, name, (Variant(backend=provider, repo_id=name),))
    if provider in ENDPOINTS:
        variant = Variant(backend="openai_compatible", repo_id=name, options={"endpoint": provider})
        return _spec(text, f"{name} ({ENDPOINTS[provider].name})", (variant,))
    return None


def _server_model(text: str) -> ModelSpec | None:
    from shared.url_guard import check_url

    model, at, url = text.partition("@")
    if not at or not model or not re.fullmatch(r"https?://\S+", url):
        raise InvalidRequest(
            "Name a server's model as MODEL@http://server:8000/v1, for example llama@http://127.0.0.1:8080/v1."
        )
    check_url(url, public=False)  # before an address that holds a password stands in a name
    variant = Variant(backend="openai_compatible", repo_id=model, options={"base_url": url})
    return _spec(text, f"{model} at {url}", (variant,))


def _spec(text: str, name: str, variants: tuple[Variant, ...]) -> ModelSpec | None:
    """None where no engine of this version can run it."""
    known = tuple(variant for variant in variants if variant.backend in BACKENDS)
    if not known:
        return None
    defaults = {"max_tokens": 512}
    return ModelSpec(id=text, name=name, task=Task.CHAT, license=_UNKNOWN_LICENSE, variants=known, defaults=defaults)
