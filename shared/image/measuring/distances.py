"""How far apart two sets of pictures are, by torchmetrics: FID (Heusel et al. 2017) and KID (Binkowski et al. 2018)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from shared.errors import InvalidRequest

FEWEST = 4  # pictures of each set: FID is told of half of them too
_SUBSETS, _MOST = 50, 1000  # KID's random subsets, and how many pictures each has at most
CAVEAT = (
    "FID is biased: with few pictures it comes out too high, by an amount of its own for each model (Chong & Forsyth "
    "2020), so it can't be compared with figures of other sample sizes, such as the published ones on 10,000 pictures "
    "or more. See how it falls from half of the pictures to all of them. KID has no such bias, but it scatters: ± is "
    "how far random halves of the pictures stray from one another."
)


@dataclass(frozen=True)
class Distances:
    """`fid_of_half`: of the first half of each set. `kid_spread`: standard deviation over random subsets."""

    fid: float
    fid_of_half: float
    kid: float
    kid_spread: float
    counts: tuple[int, int]


def distances(first: Any, second: Any) -> Distances:
    """From features, tensors (pictures, features). Raises `InvalidRequest` for too few pictures.

    The same features give the same figures: KID's subsets are drawn from a seed of their own.
    """
    counts = len(first), len(second)
    if min(counts) < FEWEST:
        raise InvalidRequest(f"FID and KID need {FEWEST} pictures or more on each side; there are {counts}.")
    halves = (part[: (len(part) + 1) // 2] for part in (first, second))
    kid, spread = _kid(first, second)
    return Distances(_fid(first, second), _fid(*halves), kid, spread, counts)


def _fid(first: Any, second: Any) -> float:
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=_given(first.shape[1])).set_dtype(torch.float64)
    metric.update(first.double(), real=True)
    metric.update(second.double(), real=False)
    return float(metric.compute())


def _kid(first: Any, second: Any) -> tuple[float, float]:
    import torch
    from torchmetrics.image.kid import KernelInceptionDistance

    size = min(_MOST, max(2, min(len(first), len(second)) // 2))
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it keeps the features, which are few
        torch.manual_seed(0)
        metric = KernelInceptionDistance(feature=_given(first.shape[1]), subsets=_SUBSETS, subset_size=size)
        metric.update(first.double(), real=True)
        metric.update(second.double(), real=False)
        mean, spread = metric.compute()
    return float(mean), float(spread)


def _given(features: int) -> Any:
    """The extractor of features that were extracted before."""
    import torch

    given = torch.nn.Identity()
    given.num_features = features  # type: ignore[assignment]
    return given
