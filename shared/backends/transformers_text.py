"""transformers: language models from safetensors or GGUF, at full precision or quantized, on any torch device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, require
from shared.backends.local.facts import facts

if TYPE_CHECKING:
    from shared.backends.local.loading import Loaded
    from shared.backends.local.torch_model import TorchModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

PARAMETERS = frozenset(
    {"temperature", "top_p", "top_k", "repetition_penalty", "max_tokens", "stop", "seed", "top_logprobs", "prefill"}
)
WHY_NOT = {
    "response_format": "transformers can't hold an answer to a schema. Choose llama.cpp for this.",
    "grammar": "transformers can't hold an answer to a grammar. Choose llama.cpp for this.",
    "reasoning_effort": "This model has no setting for how much it thinks.",
}


class TransformersText:
    """Models of text, and of text with pictures, by transformers' Auto classes. `variant.options`:

    `package` (a pip package that carries the GGUF file), `adapter` (a LoRA adapter's path or Hub id), `thinking`
    (its template can switch thinking on and off), `images` (whether it sees, where that isn't known otherwise).
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency` for a package that is not installed, `BackendError` for a missing file."""
        require("torch")
        require("transformers")
        if variant.options.get("adapter"):
            require("peft")
        from shared.backends.local.loading import check_quantization

        check_quantization(variant)
        if package := variant.options.get("package"):
            from shared.starter import locate

            locate(package, variant.filename or "")

    def capabilities(self, variant: Variant) -> Capabilities:
        """All but schemas and grammars; how much to think only where the catalogue says that it can be set."""
        thinking = bool(variant.options.get("thinking"))
        return Capabilities(
            parameters=PARAMETERS | ({"reasoning_effort"} if thinking else set()),
            why_not=WHY_NOT,
            seed="exact",
            images=_sees(variant),
            thinking=thinking,
        )

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> TorchModel:
        """Download if need be, check and load. Raises `CorruptWeights`, `OutOfMemory`, `HubUnavailable`."""
        import dataclasses

        from shared.backends.local import failures
        from shared.backends.local.loading import load
        from shared.backends.local.torch_model import TorchModel

        quiet(settings)
        with failures.loading(variant):
            loaded = load(variant, settings, emit)
        capabilities = dataclasses.replace(
            self.capabilities(variant),
            context_length=context_length(loaded.model.config, loaded.tokenizer),
            images=loaded.processor is not None,
        )
        return TorchModel(loaded, capabilities, _facts(variant, loaded))


def quiet(settings: Settings) -> None:
    """No progress bars on the server's terminal, since events tell the progress; the threads that were asked for."""
    import torch
    import transformers

    library: Any = transformers
    library.logging.set_verbosity_error()
    library.logging.disable_progress_bar()
    if settings.threads:
        torch.set_num_threads(settings.threads)


def context_length(config: Any, tokenizer: Any) -> int | None:
    """Tokens the model reads; None where it has no limit (state-space models)."""
    text = config.get_text_config(decoder=True) if hasattr(config, "get_text_config") else config
    for name in ("max_position_embeddings", "n_positions", "max_sequence_length"):
        if limit := getattr(text, name, None):
            return int(limit)
    limit = getattr(tokenizer, "model_max_length", None)
    return int(limit) if limit and limit < 10**9 else None


def _sees(variant: Variant) -> bool:
    """Whether it takes pictures: as its row says, as its configuration says where that is here already.

    A model named by hand that was never loaded may see: loading it tells.
    """
    if (said := variant.options.get("images")) is not None:
        return bool(said)
    config = Path(variant.repo_id).expanduser() / "config.json"
    if config.is_file():
        return "vision_config" in json.loads(config.read_text(encoding="utf-8"))
    return not variant.memory_gb and not variant.filename


def _facts(variant: Variant, loaded: Loaded) -> dict[str, Any]:
    where: dict[str, Any] = {"device": loaded.device, "dtype": loaded.dtype, "revision": loaded.revision}
    return facts(variant, "torch", "transformers", noise_device="cpu", **where)
