"""Music as notes, by a small language model that transformers runs on the processor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, require
from shared.backends.local.facts import facts
from shared.errors import CorruptWeights, UnknownModel
from shared.events import Progress

if TYPE_CHECKING:
    from shared.backends.symbolic.model import MusicModel
    from shared.catalog import Variant
    from shared.music.language import Vocabulary
    from shared.settings import Settings
    from shared.streaming import Emit

PARAMETERS = frozenset({"seed", "bars", "duration", "temperature", "top_p", "top_logprobs", "beginning"})
VOCABULARY, TUNES = "tokenizer.json", "known.npy"


class SymbolicMusic:
    """A folder of transformers' form whose tokenizer is the music language's. `variant.options`:

    `starter`: the name of a folder of weights that comes with the playground; without it, `repo_id` is a path.
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency` for a package that is not installed, `BackendError` for missing weights."""
        for module in ("torch", "transformers"):
            require(module)
        _folder(variant, settings)

    def capabilities(self, variant: Variant) -> Capabilities:
        """The same for every model of the language."""
        return Capabilities(parameters=PARAMETERS, seed="exact")

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> MusicModel:
        """Check and load. Raises `CorruptWeights`, `OutOfMemory`, `UnknownModel`."""
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores

        share_cores()
        from shared.backends.symbolic.model import MusicModel
        from shared.backends.transformers_text import quiet
        from shared.music.novelty import Known

        quiet(settings)
        folder = _folder(variant, settings)
        emit(Progress(f"Loading {folder.name}"))
        vocabulary = _vocabulary(folder)
        with failures.loading(variant):
            model = _model(folder, len(vocabulary.words))
            known = Known.read(folder / TUNES) if (folder / TUNES).is_file() else None
        told = facts(variant, "torch", "transformers", noise_device="cpu")
        return MusicModel(model, vocabulary, known, self.capabilities(variant), told)


def _folder(variant: Variant, settings: Settings) -> Path:
    if name := variant.options.get("starter"):
        from shared.starter import locate_folder

        return locate_folder(name, settings.weights_dir)
    folder = Path(variant.repo_id).expanduser()
    if not folder.is_dir():
        raise UnknownModel(f"There is no folder {folder.name} at that place. Check the path.")
    return folder


def _vocabulary(folder: Path) -> Vocabulary:
    from shared.music.language import Vocabulary, words

    try:
        vocabulary = Vocabulary.read(folder / VOCABULARY)
    except ValueError as error:
        raise CorruptWeights(f"{error}. Get the model {folder.name} again.") from error
    if set(vocabulary.words) != set(words()):
        raise CorruptWeights(
            f"{folder.name} was trained for another form of the music language. Get the model that belongs here."
        )
    return vocabulary


def _model(folder: Path, words: int) -> Any:
    import torch
    import transformers

    from shared.weights import check_weights, refuse_pickle

    files = sorted(folder.glob("*.safetensors"))
    for file in files or sorted(folder.iterdir()):
        check_weights(file) if files else refuse_pickle(file)
    if not files:
        raise CorruptWeights(f"{folder.name} has no weights. Get the model again.")
    library: Any = transformers
    model = library.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False
    )
    if model.config.vocab_size < words:
        raise CorruptWeights(f"{folder.name} has fewer words than its vocabulary. Get the model again.")
    return model.eval()
