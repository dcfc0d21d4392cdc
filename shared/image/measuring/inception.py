"""The features that published FIDs are computed from: Inception v3, as torch-fidelity has it from TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from shared.errors import BackendError, HubUnavailable
from shared.media.opening import open_picture
from shared.requests import ImagePart
from shared.settings import Settings
from shared.streaming import Emit

NEEDS = (
    "The usual FID and KID need torch-fidelity and torchvision: pip install torch-fidelity torchvision, from the same "
    "index as torch itself. Its weights (about 90 MB) come from torch-fidelity's page on GitHub at the first use. "
    "Until then take CLIP's features, which need neither."
)
FEATURES = 2048


def features(parts: Sequence[ImagePart], settings: Settings, emit: Emit) -> Any:
    """Tensor (pictures, 2048). Raises `BackendError` with what is needed, `HubUnavailable` for lacking weights."""
    extract = _extractor(settings)
    import numpy
    import torch

    found = []
    for part in parts:
        emit.check()
        pixels = numpy.array(open_picture(part.data).convert("RGB"))
        with torch.inference_mode():
            found.append(extract(torch.from_numpy(pixels).permute(2, 0, 1)[None]))
    return torch.cat(found)


def _extractor(settings: Settings) -> Any:
    try:
        import_module("torchvision")
        import_module("torch_fidelity")
    except (ImportError, RuntimeError, OSError):  # a torchvision that was built for another torch raises any of these
        raise BackendError(NEEDS) from None
    import torch
    from torchmetrics.image.fid import NoTrainInceptionV3

    kept = Path(torch.hub.get_dir()) / "checkpoints"
    if settings.offline and not list(kept.glob("weights-inception-*.pth")):
        raise HubUnavailable("Inception's weights are not on this machine, and this server works offline.")
    try:
        return NoTrainInceptionV3(name="inception-v3-compat", features_list=[str(FEATURES)])
    except OSError as error:
        raise HubUnavailable("Inception's weights can't be fetched from GitHub now. Try again later.") from error
