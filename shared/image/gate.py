"""Has a request looked over before anything is drawn, and tells in the receipt that it was."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace

from shared.background import meanwhile
from shared.errors import BackendError, Cancelled, ProviderError
from shared.events import Event, Final
from shared.media.moderation import MODEL, Finding, applies, look_over
from shared.requests import Request
from shared.requests.solid import VIEWS
from shared.settings import Settings
from shared.streaming import CancelToken

_PICTURES = ("image", "last_image", "control_image", *VIEWS)  # fields of a request
CHECKING = "OpenAI's moderation looks the words over"


def gated(
    events: Iterator[Event], request: Request, settings: Settings, cancel: CancelToken | None = None
) -> Iterator[Event]:
    """The run's events, which begin only once its words, and the pictures to start from, may be drawn.

    `cancel`: the run's stop switch, which stops the check too. Raises `ProviderError` for what is refused, in words for
    the person, and `BackendError` on a strict server where nothing could be checked.
    """
    with closing(events):  # type: ignore[type-var]
        request.validate()
        finding = None
        too_long = max(map(len, request.texts())) > settings.max_prompt_chars  # which the engine refuses, with words
        if applies(settings) and not too_long:
            finding = yield from _checked(request, settings, cancel)
        if finding is not None and finding.refused:
            raise ProviderError("OpenAI", finding.words) if finding.checked else BackendError(finding.words)
        for event in events:
            yield _noted(event, finding) if finding is not None and isinstance(event, Final) else event


def _checked(
    request: Request, settings: Settings, cancel: CancelToken | None
) -> Generator[Event, None, Finding | None]:
    """What was found; None where it was stopped: the run then ends by itself."""
    unwanted = getattr(request, "negative_prompt", None)
    texts = tuple(text for text in request.texts() if text != unwanted)
    given = (getattr(request, name, None) for name in _PICTURES)
    pictures = tuple(part for part in given if part is not None)
    own = CancelToken()
    with ExitStack() as stack:
        if cancel is not None:
            stack.enter_context(cancel.on_cancel(own.cancel))
        try:
            return (yield from meanwhile(lambda emit: look_over(texts, pictures, settings, own), CHECKING, own))
        except Cancelled:
            return None


def _noted(final: Final, finding: Finding) -> Final:
    note = f"OpenAI's moderation ({MODEL}) looked the words over." if finding.checked else finding.words
    receipt = final.receipt
    extra = receipt.extra if finding.checked else {**receipt.extra, "unchecked": finding.words}
    return replace(final, receipt=replace(receipt, notes=(*receipt.notes, note), extra=extra))
