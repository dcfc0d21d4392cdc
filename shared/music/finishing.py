"""What a finished composition goes through before anybody gets it: measured, played, and labelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from shared.media.sound.labelling import comment
from shared.music.agreement import agreement
from shared.music.composed import FONT, FONT_LICENCE, Composition, files, sound
from shared.music.instruments import instruments
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.requests import MusicRequest
from shared.settings import Settings


def measured(made: Composition) -> Receipt:
    """The receipt with what can be heard of key and metre. Only of a composition that has one."""
    assert made.receipt is not None
    heard = agreement(made.music) if made.music else {}
    return replace(made.receipt, extra={**made.receipt.extra, **({"heard": heard} if heard else {})})


def played_on(made: Composition, instrument: str) -> Composition:
    """The same composition for another instrument; its receipt says so. Raises `KeyError` for an unknown one."""
    assert instruments()[instrument]
    receipt = made.receipt
    if receipt is not None:
        music = {**receipt.extra.get("music", {}), "instrument": instrument}
        receipt = replace(receipt, extra={**receipt.extra, "music": music})
    return replace(made, instrument=instrument, receipt=receipt)


def notes(made: Composition, receipt: Receipt, request: MusicRequest) -> Mapping[str, bytes]:
    """MIDI and MusicXML by their endings, with the receipt in them; nothing of a composition without bars."""
    if made.music is None or not made.music.bars:
        return {}
    return files(made.music, made.instrument, comment(receipt, request))


def played(
    made: Composition, receipt: Receipt, settings: Settings, check: Callable[[], object] = lambda: None
) -> tuple[AudioOutput | None, Receipt]:
    """The sound, and the receipt with what played it; None where nothing is to be heard.

    `check` is called now and then, and may end it by raising something. Raises `BackendError` without a
    soundfont, `CorruptWeights` where it is broken.
    """
    if made.sound is not None:
        return (made.sound if made.sound.pcm else None), receipt
    if made.music is None or not made.music.notes:
        return None, receipt
    heard = sound(made.music, made.instrument, settings, check)
    player = {"soundfont": FONT, "licence": FONT_LICENCE, "instrument": made.instrument}
    seconds = round(heard.seconds, 3)
    return heard, replace(receipt, extra={**receipt.extra, "played_by": {**player, "seconds": seconds}})
