"""What a sound with an imitated voice carries: a watermark where one can be made, and words in its receipt."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.audio.cloning import perth
from shared.errors import MissingDependency
from shared.requests import Request, SpeechRequest

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

    Mark = Callable[[Samples], Samples]


def missing() -> str:
    """What to install for a watermark; "" where one can be made."""
    try:
        perth.check()
    except MissingDependency as error:
        return f"for one: pip install {error.extra}"
    return ""


def marker(request: SpeechRequest, rate: int) -> Mark | None:
    """What marks the samples of such a request; None for other requests, and where no watermark can be made."""
    if request.reference is None or missing():
        return None
    return partial(perth.mark, rate=rate)


def told(request: Request) -> dict[str, Any]:
    """What a receipt says of it: that a voice is imitated, how its person agreed, and whether the sound is marked."""
    if not isinstance(request, SpeechRequest) or request.reference is None or request.reference.consent is None:
        return {}
    consent = request.reference.consent
    return {
        "imitates_a_voice": True,
        "consent": consent.how,
        "consent_checked": consent.checked,
        "watermark": "none: resemble-perth is not installed" if missing() else perth.NAME,
    }
