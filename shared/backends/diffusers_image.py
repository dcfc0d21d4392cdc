"""diffusers: pictures from words by any pipeline of its Auto classes, on CUDA, MPS or the processor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, require
from shared.backends.diffusion import schedulers
from shared.backends.diffusion.controls import Controls, offered
from shared.backends.local.facts import facts as what_runs
from shared.requests import LEADING

if TYPE_CHECKING:
    from shared.backends.diffusion.loading import Loaded
    from shared.backends.diffusion.model import DiffusionModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

PARAMETERS = frozenset(
    {"seed", "negative_prompt", "width", "height", "num_inference_steps", "guidance_scale", "scheduler", "strength"}
    | {"num_images_per_prompt", "preview_every_step", "blend", "keep_attention"}
    | {"variation_seed", "variation_strength", "outpaint"}
)


LED = frozenset({"control_image", *LEADING})


class DiffusersImage:
    """A Hub id, or a folder in diffusers' format. `variant.options`:

    `schedulers` (`noise` or `flow`, a kind of `diffusion/schedulers.toml`, or the names of those that it takes),
    `starter` (the name of a folder of weights that comes with the playground), `not` (settings that this model has no
    use for, such as the guidance of a distilled one, which then is off, with the reason), `side` (of the square that it
    draws best, pixels), `largest_side` (pixels), `controls` (a set of `diffusion/controls.toml`, or a table of such
    rows), `files` (patterns), `adapter` (a LoRA's safetensors file, its folder or Hub id), `adapter_weight` (1: as
    trained).
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency` for a package that is not installed, `BackendError` for missing weights."""
        for module in ("torch", "diffusers", "transformers"):
            require(module)
        if variant.options.get("adapter"):
            require("peft")
        if name := variant.options.get("starter"):
            from shared.starter import locate_folder

            locate_folder(name, settings.weights_dir)

    def capabilities(self, variant: Variant) -> Capabilities:
        """All but what the variant's row says that the model can't follow."""
        controls = offered(variant)
        refused = dict(variant.options.get("not", {}))
        if not controls:
            refused |= dict.fromkeys(LED, "No ControlNet or T2I-Adapter is listed for this model.")
        return Capabilities(
            parameters=(PARAMETERS | LED) - set(refused),
            why_not=refused,
            seed="exact",
            images=True,
            side=variant.options.get("side"),
            controls=controls,
            schedulers=_schedulers(variant),
        )

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> DiffusionModel:
        """Download if need be, check and load. Raises `CorruptWeights`, `OutOfMemory`, `HubUnavailable`."""
        from shared.backends.diffusion.loading import load
        from shared.backends.diffusion.model import DiffusionModel
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores

        share_cores()
        with failures.loading(variant):
            loaded = load(variant, settings, emit)
        controls = Controls(variant, settings, loaded.device)
        known, told = self.capabilities(variant), facts(variant, loaded)
        return DiffusionModel(loaded.pipe, loaded.folder, known, told, controls)


def _schedulers(variant: Variant) -> tuple[str, ...]:
    """Those that it takes, as far as that is known before it is loaded."""
    from shared.backends.local.sources import is_path

    if which := variant.options.get("schedulers"):
        return schedulers.named(which)
    return schedulers.taken_by(Path(variant.repo_id).expanduser()) if is_path(variant.repo_id) else ()


def facts(variant: Variant, loaded: Loaded) -> dict[str, Any]:
    """What really runs, for the receipt."""
    from shared.backends.diffusion.placing import NOTES

    adapter = {"adapter": loaded.adapter.called, "adapter_weight": loaded.adapter.weight} if loaded.adapter else {}
    largest = variant.options.get("largest_side")
    where: dict[str, Any] = {"device": loaded.device, "dtype": loaded.dtype, "revision": loaded.revision}
    return {
        **adapter,
        **({"largest_side": largest} if largest else {}),
        **({"offload": loaded.way.value, "notes": (NOTES[loaded.way],)} if loaded.way in NOTES else {}),
        **what_runs(variant, "torch", "diffusers", "transformers", noise_device="cpu", **where),
    }
