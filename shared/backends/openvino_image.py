"""OpenVINO: pictures on the processor by a diffusers pipeline whose U-Net runs in int8."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from shared.backends.base import Capabilities, require
from shared.backends.diffusers_image import LED, DiffusersImage, facts
from shared.backends.local.facts import versions as versions_of
from shared.errors import BackendError

if TYPE_CHECKING:
    from shared.backends.diffusion.model import DiffusionModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit


UNLED = "OpenVINO runs the U-Net in one piece, which nothing can lead. Choose the diffusers engine."
UNSEEN = "OpenVINO runs the U-Net in one piece, whose attention can't be read. Choose the diffusers engine."


class OpenVinoImage(DiffusersImage):
    """A pipeline with one U-Net and one text encoder, as Stable Diffusion 1.5 and the starter have."""

    def capabilities(self, variant: Variant) -> Capabilities:
        """As diffusers, but nobody can look into it."""
        known = super().capabilities(variant)
        why_not = {"keep_attention": UNSEEN, **dict.fromkeys(LED, UNLED)}
        return replace(
            known, parameters=known.parameters - set(why_not), why_not={**known.why_not, **why_not}, controls=()
        )

    def check(self, variant: Variant, settings: Settings) -> None:
        """As diffusers, and OpenVINO's packages; only int8, only on the processor."""
        super().check(variant, settings)
        for module in ("openvino", "nncf"):
            require(module)
        if variant.quantization != "int8":
            raise BackendError(f"OpenVINO has no {variant.quantization} for pictures here. Choose int8.")
        if variant.device not in {"auto", "cpu"}:
            raise BackendError("OpenVINO runs on the processor here. Choose diffusers for a GPU.")

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> DiffusionModel:
        """Export at the first use, then load. Raises `CorruptWeights`, `OutOfMemory`, `HubUnavailable`."""
        from shared.backends.diffusion import openvino_unet
        from shared.backends.diffusion.loading import load
        from shared.backends.diffusion.model import DiffusionModel
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores

        share_cores()
        with failures.loading(variant):
            loaded = load(replace(variant, device="cpu", dtype="float32"), settings, emit)
            mark = loaded.adapter.mark if loaded.adapter else ""
            openvino_unet.put_in(loaded.pipe, loaded.folder, variant.quantization or "int8", settings, emit, mark)
        versions = versions_of("openvino", "nncf")
        told = facts(variant, loaded)
        told["versions"] |= versions
        return DiffusionModel(loaded.pipe, loaded.folder, self.capabilities(variant), told)
