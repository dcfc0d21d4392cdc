"""Chooses each next token, with a random stream of its own for each run.

transformers samples from torch's global generator, which runs in other threads share. So `generate` is run
greedily, and this processor, the last in its list, leaves it one token to choose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import BackendError

if TYPE_CHECKING:
    from torch import Tensor

    from shared.requests import ChatRequest

_LIKELIEST = 512  # candidates that hold top_p's share nearly always; sorting the whole vocabulary is slow


@dataclass(frozen=True)
class Sampling:
    """The settings of a run. `temperature` 0 takes the likeliest token; `top_k` 0 and `top_p` 1 leave all in."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    seed: int = 0

    @classmethod
    def of(cls, request: ChatRequest, defaults: Any) -> Sampling:
        """The request's settings, and where it has none those of the model's `GenerationConfig`."""

        def pick(name: str, neutral: float) -> float:
            for value in (getattr(request, name), getattr(defaults, name, None), neutral):
                if value is not None:
                    return float(value)
            raise AssertionError("unreachable")

        greedy = request.temperature is None and not getattr(defaults, "do_sample", False)
        return cls(
            temperature=0.0 if greedy else pick("temperature", 1.0),
            top_p=pick("top_p", 1.0),
            top_k=int(pick("top_k", 0)),
            repetition_penalty=pick("repetition_penalty", 1.0),
            seed=request.seed or 0,
        )


class Chooser:
    """A logits processor. `chosen(token, logits)` is told of each token before it joins the text.

    `logits`: float32 on the CPU, shape (vocabulary,), as the model gave them.
    """

    def __init__(self, sampling: Sampling, chosen: Callable[[int, Tensor], None]) -> None:
        import torch

        self._sampling, self._chosen = sampling, chosen
        self._noise = torch.Generator(device="cpu").manual_seed(sampling.seed)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """`input_ids` (1, length), `scores` (1, vocabulary)."""
        import torch

        logits = scores[0].float().cpu()
        token = self._pick(input_ids[0].cpu(), logits)
        self._chosen(token, logits)
        only = torch.full_like(scores, float("-inf"))
        only[0, token] = 0.0
        return only

    def _pick(self, before: Tensor, logits: Tensor) -> int:
        if logits.isnan().any():
            raise BackendError("The model gave no numbers. Load it in another precision, or choose another engine.")
        logits = _penalized(logits, before, self._sampling.repetition_penalty)
        if self._sampling.temperature == 0:
            return int(logits.argmax())
        return self._draw(logits)

    def _draw(self, logits: Tensor) -> int:
        import torch

        values, tokens = _candidates(logits, self._sampling)
        share = torch.softmax(values, 0).cumsum(0)
        point = torch.rand((), generator=self._noise, dtype=torch.float64) * share[-1]
        place = min(int(torch.searchsorted(share, point, right=True)), len(tokens) - 1)
        return int(tokens[place])


def _penalized(logits: Tensor, before: Tensor, penalty: float) -> Tensor:
    """Makes every token of the text so far less likely (N. S. Keskar and others, "CTRL", 2019)."""
    import torch

    if penalty == 1.0:
        return logits
    seen = before[(before >= 0) & (before < len(logits))]
    values = logits[seen]
    logits = logits.clone()
    logits[seen] = torch.where(values < 0, values * penalty, values / penalty)
    return logits


def _candidates(logits: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """The tokens to draw from, likeliest first: their scaled logits (float64) and their ids."""
    scaled = (logits.double() - logits.max()) / sampling.temperature
    if sampling.top_k:
        scaled, tokens = scaled.topk(min(sampling.top_k, len(scaled)))
        return _nucleus(scaled, tokens, scaled, sampling.top_p)
    if sampling.top_p < 1.0:
        few, tokens = scaled.topk(min(_LIKELIEST, len(scaled)))
        if float((few.logsumexp(0) - scaled.logsumexp(0)).exp()) >= sampling.top_p:
            return _nucleus(few, tokens, scaled, sampling.top_p)
    every, tokens = scaled.sort(descending=True, stable=True)
    return _nucleus(every, tokens, scaled, sampling.top_p)


def _nucleus(values: Tensor, tokens: Tensor, whole: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """The fewest tokens that together hold `top_p` of the whole (A. Holtzman and others, 2019); one at least."""
    if top_p >= 1.0:
        return values, tokens
    share = (values - whole.logsumexp(0)).exp()
    keep = max(int((share.cumsum(0) - share < top_p).sum()), 1)
    return values[:keep], tokens[:keep]
