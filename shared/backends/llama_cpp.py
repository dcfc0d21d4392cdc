"""llama.cpp through the `xllamacpp` wheel: GGUF models, with continuous batching for several people at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, require
from shared.errors import CorruptWeights, OutOfMemory
from shared.events import Progress

if TYPE_CHECKING:
    from shared.backends.llama.model import LlamaModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

_PARAMETERS = frozenset(
    {"temperature", "top_p", "top_k", "repetition_penalty", "max_tokens", "stop", "seed"}
    | {"top_logprobs", "response_format", "grammar", "prefill"}
)
_WHY_NOT = {"reasoning_effort": "llama.cpp lets a model think or not; how much is the model's own affair."}


class LlamaCpp:
    """GGUF files from a package, a path or the Hub. `variant.options`:

    `package` (a pip package that carries the file), `mmproj` (the vision part's file name), `adapter` (a LoRA
    GGUF file), `encode` ("Q8_0": a packaged file's faster twin, made once), `parallel` (people served at once),
    `context` (tokens for each of them).
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency` without xllamacpp, `BackendError` where a packaged file is absent."""
        require("xllamacpp")
        if package := variant.options.get("package"):
            from shared.starter import locate

            locate(package, variant.filename or "")

    def capabilities(self, variant: Variant) -> Capabilities:
        """Everything a chat request can hold, except how hard to think."""
        return Capabilities(
            parameters=_PARAMETERS,
            why_not=_WHY_NOT,
            seed="best-effort",  # batching and the prompt cache change the order of floating-point sums
            images=bool(variant.options.get("mmproj")),
        )

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> LlamaModel:
        """Start an embedded server on the file. Raises `CorruptWeights`, `OutOfMemory`, `HubUnavailable`."""
        from shared.backends.llama.model import LlamaModel
        from shared.backends.llama.parameters import server_parameters
        from shared.backends.local.threads import share_cores
        from shared.weights import check_gguf

        path, extras, revision = _files(variant, settings, emit)
        for file in (path, *extras.values()):
            check_gguf(file)
        emit(Progress(f"Loading {path.name}"))
        share_cores()
        parameters = server_parameters(path, extras, variant, settings)
        server = _start(parameters, path)
        facts = _facts(variant, path, revision, parameters)
        return LlamaModel(server, self.capabilities(variant), parameters, facts)


def _files(variant: Variant, settings: Settings, emit: Emit) -> tuple[Path, dict[str, Path], str | None]:
    """The model file, its companions by option name, and the commit they came from."""
    names = {name: variant.options[name] for name in ("mmproj", "adapter") if variant.options.get(name)}
    if variant.options.get("package"):
        return _starter(variant, settings, emit), {}, None
    if Path(variant.repo_id).expanduser().suffix == ".gguf":
        here = Path(variant.repo_id).expanduser()
        return here, {name: here.parent / file for name, file in names.items()}, None
    from shared.backends.local import hub

    wanted = [variant.filename or "*.gguf", *names.values()]
    folder = hub.fetch(variant.repo_id, settings, emit, revision=variant.revision, allow_patterns=wanted)
    files = {name: folder.path / file for name, file in names.items()}
    return folder.path / (variant.filename or ""), files, folder.revision


def _starter(variant: Variant, settings: Settings, emit: Emit) -> Path:
    """The packaged file, or its twin in Q8_0 where the variant asks for that and it can be kept."""
    from shared.starter import verify
    from shared.starter.reencode import as_q8_0

    path = verify(variant.options["package"], variant.filename or "", settings.data_dir)
    if variant.options.get("encode") != "Q8_0":
        return path
    emit(Progress("Preparing the starter model for this processor, once"))
    try:
        return as_q8_0(path, settings.data_dir)
    except OSError:
        return path  # nowhere to keep it: the packaged form answers as well, and the receipt says which ran


def _start(parameters: Any, path: Path) -> Any:
    import xllamacpp

    try:
        return xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise CorruptWeights(
            f"llama.cpp could not load {path.name}: the file is damaged, of a kind this version doesn't know, "
            "or larger than the free memory. Download it again, or choose another file."
        ) from error
    except MemoryError as error:
        raise OutOfMemory() from error


def _facts(variant: Variant, path: Path, revision: str | None, parameters: Any) -> dict[str, Any]:
    import importlib.metadata

    as_packaged = variant.options.get("encode") and path.name == variant.filename
    gpu = parameters.n_gpu_layers != 0 and _has_gpu()
    return {
        "device": "gpu" if gpu else "cpu",
        "quantization": path.stem.rpartition(".")[2] if as_packaged else variant.quantization,
        "revision": revision or variant.revision,
        "versions": {"xllamacpp": importlib.metadata.version("xllamacpp")},
        "threads": parameters.cpuparams.n_threads,
        "context_per_person": parameters.n_ctx // parameters.n_parallel,
    }


def _has_gpu() -> bool:
    import xllamacpp

    cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
    return any(device["type"] != cpu for device in xllamacpp.get_device_info())
