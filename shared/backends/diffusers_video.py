"""diffusers: clips from words and pictures by its video pipelines, on CUDA, MPS or the processor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from shared.backends.base import Capabilities, require

if TYPE_CHECKING:
    from shared.backends.diffusion.loading import Loaded
    from shared.backends.diffusion.video import VideoModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

USUAL = "WanPipeline"  # whose lengths are taken for those of a pipeline that isn't known before it is loaded


class DiffusersVideo:
    """A Hub id, or a folder in diffusers' format. `variant.options`:

    `pipeline` (the class's name, a row of `diffusion/video.toml`, so that what it can do is known before it is loaded),
    `files` (patterns), `adapter`, `adapter_weight` (a LoRA, as of pictures), `gguf` (a Hub id, whose file is
    `variant.filename`, or a path: the transformer's weights, quantized), `starter` and `motion` (names of folders of
    weights that come with the playground: an image model, and the motion module that was trained on it), `not`
    (settings that this model has no use for, with the reason), `clips` (what of the row is otherwise: `usual`, `most`).
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`."""
        for module in ("torch", "diffusers", "transformers", "av"):
            require(module)
        if variant.options.get("adapter"):
            require("peft")
        if variant.options.get("gguf"):
            require("gguf")
        for part in ("starter", "motion"):
            if name := variant.options.get(part):
                from shared.starter import locate_folder

                locate_folder(str(name), settings.weights_dir)

    def capabilities(self, variant: Variant) -> Capabilities:
        """What the pipeline takes; of one that isn't known before it is loaded, what any takes."""
        from shared.backends.diffusion.video_kinds import WHY_NOT, kinds, named_in

        name = variant.options.get("pipeline") or named_in(variant.repo_id)
        refused = dict(variant.options.get("not", {}))
        if kind := kinds().get(str(name)):
            return replace(kind, **variant.options.get("clips", {})).capabilities(refused)
        follows = frozenset[str]().union(*(each.parameters for each in kinds().values()))
        why_not = {name: why for name, why in WHY_NOT.items() if name not in follows}
        return replace(
            kinds()[USUAL].capabilities({}), parameters=follows - set(refused), why_not={**why_not, **refused}
        )

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> VideoModel:
        """Download if need be, check and load. Raises `CorruptWeights`, `OutOfMemory`, `HubUnavailable`."""
        from shared.backends.diffusers_image import facts
        from shared.backends.diffusion.loading import load
        from shared.backends.diffusion.video import VideoModel
        from shared.backends.diffusion.video_kinds import kind_of
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores

        share_cores()
        with failures.loading(variant):
            loaded = _starter(variant, settings, emit) or load(variant, settings, emit)
            kind = replace(kind_of(loaded.pipe, loaded.folder.name), **variant.options.get("clips", {}))
        return VideoModel(loaded.pipe, kind, loaded.folder, facts(variant, loaded), variant.options.get("not", {}))


def _starter(variant: Variant, settings: Settings, emit: Emit) -> Loaded | None:
    """The image starter with its motion module; None for any other model."""
    if not variant.options.get("motion"):
        return None
    from shared.backends.diffusion.animation import animated_starter
    from shared.backends.diffusion.loading import Loaded
    from shared.events import Progress
    from shared.starter import locate_folder

    still, motion = (locate_folder(str(variant.options[name]), settings.weights_dir) for name in ("starter", "motion"))
    emit(Progress(f"Loading {motion.name}"))
    return Loaded(animated_starter(still, motion), still, None, "cpu", "float32")
