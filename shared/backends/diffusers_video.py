"""diffusers: clips from words and pictures by its video pipelines, on CUDA, MPS or the processor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, Slowness, require
from shared.requests import VideoRequest

if TYPE_CHECKING:
    from shared.backends.diffusion.loading import Loaded
    from shared.backends.diffusion.video import VideoModel
    from shared.backends.diffusion.video_kinds import Kind
    from shared.catalog import Variant
    from shared.machine import Machine
    from shared.requests import Request
    from shared.settings import Settings
    from shared.streaming import Emit

USUAL = "WanPipeline"  # whose lengths are taken for those of a pipeline that isn't known before it is loaded


class DiffusersVideo:
    """A Hub id, or a folder in diffusers' format. `variant.options`:

    `pipeline` (the class's name, a row of `diffusion/video.toml`, so that what it can do is known before it is loaded),
    `files` (patterns), `adapter`, `adapter_weight` (a LoRA, as of pictures), `gguf` (a Hub id, whose file is
    `variant.filename`, or a path: the transformer's weights, quantized), `starter` and `motion` (names of folders of
    weights that come with the playground: an image model, and the motion module that was trained on it), `not`
    (settings that this model has no use for, with the reason), `clips` (what of the row is otherwise: `usual`, `most`),
    `billions` (of parameters that work at each step, where they aren't those of the row).
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

    def usual(self, variant: Variant, machine: Machine) -> Mapping[str, Any]:
        """Values that go before the model's own here: on a processor, those of a clip that it can finish."""
        from shared.backends.diffusion.small import tier

        kind = self._slow(variant, machine)
        return tier(kind) if kind else {}

    def estimate(self, variant: Variant, request: Request, machine: Machine) -> Slowness | None:
        """How long it would take where that is long; None where it isn't, or nothing is known of it."""
        from shared.backends.diffusion.small import LONG, seconds, tier

        kind = self._slow(variant, machine)
        if kind is None or not isinstance(request, VideoRequest):
            return None
        billions = float(variant.options.get("billions", kind.billions))
        long, cores = seconds(kind, request, billions, machine.cores), machine.cores
        small = seconds(kind, replace(request, duration=None, fps=None, **tier(kind)), billions, cores)
        return Slowness(long, small) if long is not None and small is not None and long > LONG else None

    def _slow(self, variant: Variant, machine: Machine) -> Kind | None:
        """The pipeline's kind where a processor would run it; None where anything else does, or it is a starter."""
        from shared.backends.diffusion.video_kinds import kinds, named_in

        if variant.device != "auto" or machine.accelerator != "cpu" or variant.options.get("motion"):
            return None
        return kinds().get(str(variant.options.get("pipeline") or named_in(variant.repo_id)))

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
