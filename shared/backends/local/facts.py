"""What really runs, for the receipt: what most local engines tell alike."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.catalog import Variant


def versions(*packages: str) -> dict[str, str]:
    """The versions of installed packages by name."""
    return {name: importlib.metadata.version(name) for name in packages}


def facts(
    variant: Variant,
    *packages: str,
    device: str = "cpu",
    dtype: str = "float32",
    revision: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Where and how the variant's numbers are held, what computes with them, and `more`.

    `revision`: the one that was found, where the variant pins none.
    """
    return {
        "device": device,
        "dtype": dtype,
        "quantization": variant.quantization,
        "revision": revision or variant.revision,
        "versions": versions(*packages),
        **more,
    }
