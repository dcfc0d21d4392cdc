"""The most that a run may take of a budget, before it starts, and what it took, after it ended."""

from __future__ import annotations

from typing import Any

from shared import pricing
from shared.backends import get_backend
from shared.errors import InferenceError
from shared.operation.seen import Seen
from shared.receipts import Receipt
from shared.requests import ChatRequest, ImageRequest, Request
from shared.state.ledger import Unit
from shared.tasks import Mode, Task
from shared.trimming import TOKENS_PER_IMAGE

# US dollars set aside for one hosted piece of work whose price is known only from what comes: more than list prices of
# late 2026 ask for it. Where what came has no price either, it is charged as this.
SET_ASIDE = {
    Task.CHAT: 0.5,
    Task.TEXT_TO_IMAGE: 0.5,
    Task.TEXT_TO_SPEECH: 1.0,
    Task.TEXT_TO_AUDIO: 1.0,
    Task.TEXT_TO_SOUND: 0.5,
    Task.TEXT_TO_VIDEO: 8.0,
    Task.TEXT_TO_3D: 2.0,
}
LONGEST = 16_384  # tokens of an answer whose length nobody limited
# Seconds of this machine that are set aside for a local run; what it really took is charged.
WORK = {Task.CHAT: 60.0, Task.TEXT_TO_IMAGE: 60.0, Task.TEXT_TO_VIDEO: 300.0}
SOME_WORK = 120.0


def estimate(seen: Seen) -> dict[Unit, float]:
    """What to reserve. Raises `InferenceError` where the run can't be made at all."""
    amounts: dict[Unit, float] = {}
    if seen.variant.mode == Mode.HOSTED:
        amounts[Unit.MONEY] = _dollars(seen)
    else:
        amounts[Unit.GPU_SECONDS] = WORK.get(Task(seen.spec.task), SOME_WORK)
    if isinstance(seen.request, ImageRequest):
        amounts[Unit.IMAGES] = seen.request.num_images_per_prompt or 1
    if isinstance(seen.request, ChatRequest):
        amounts[Unit.TOKENS] = _read(seen.request) + _written(seen)
    return amounts


def taken(receipt: Receipt, reserved: dict[Unit, float]) -> dict[Unit, float]:
    """What a run took by its receipt. What nobody knows the price of is charged as was reserved."""
    amounts: dict[Unit, float] = {}
    if Unit.MONEY in reserved:
        amounts[Unit.MONEY] = reserved[Unit.MONEY] if receipt.cost_usd is None else receipt.cost_usd
    if Unit.GPU_SECONDS in reserved:
        amounts[Unit.GPU_SECONDS] = max(0.0, receipt.seconds.total - receipt.seconds.queue)
    if Unit.IMAGES in reserved:
        amounts[Unit.IMAGES] = 0 if receipt.finish_reason in {"stopped", "cut"} else reserved[Unit.IMAGES]
    if Unit.TOKENS in reserved:
        known = receipt.input_tokens is not None and receipt.output_tokens is not None
        amounts[Unit.TOKENS] = (
            (receipt.input_tokens or 0) + (receipt.output_tokens or 0) if known else reserved[Unit.TOKENS]
        )
    return amounts


def own_charge(seen: Seen) -> bool:
    """Whether the run costs the server's keeper nothing: by a visitor's key, or at a server of their own."""
    if seen.variant.mode != Mode.HOSTED:
        return False
    ask: Any = getattr(get_backend(seen.variant.backend), "account", None)
    if ask is None:
        return False
    account = ask(seen.variant, seen.settings)
    theirs = any(account.key is key for key in seen.settings.session_keys.values())
    return bool(account.chosen or account.endpoint.local or theirs)


def _dollars(seen: Seen) -> float:
    backend: Any = get_backend(seen.variant.backend)
    task = Task(seen.spec.task)
    many = getattr(seen.request, "num_images_per_prompt", None) or 1
    fixed = SET_ASIDE.get(task, 1.0) * many
    cost = pricing.Cost(None, "")
    if hasattr(backend, "quote"):
        cost = backend.quote(seen.variant, seen.settings, seen.request)
        return 0.0 if cost == pricing.OWN_SERVER else fixed if cost.usd is None else cost.usd
    if isinstance(seen.request, ChatRequest) and hasattr(backend, "account"):
        try:
            endpoint = backend.account(seen.variant, seen.settings).endpoint
        except InferenceError:
            return fixed
        cost = pricing.estimate(endpoint.pricing, seen.variant.repo_id, _read(seen.request), _written(seen))
    return fixed if cost.usd is None else cost.usd


def _read(request: ChatRequest) -> int:
    """Tokens of the conversation, rather too many: prose has more than two bytes a token in today's tokenizers."""
    pictures = sum(len(message.images) for message in request.messages) * TOKENS_PER_IMAGE * 2
    return sum(len(text.encode()) // 2 + 16 for text in request.texts()) + pictures


def _written(seen: Seen) -> int:
    request: Request = seen.request
    asked = getattr(request, "max_tokens", None) or seen.spec.defaults.get("max_tokens")
    return int(asked or LONGEST)
