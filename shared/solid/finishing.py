"""What a finished solid goes through before anybody gets it: its picture is looked over, and it is measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shared.errors import BackendError
from shared.image.finishing import safe
from shared.media.sound.labelling import document
from shared.outputs import SolidOutput
from shared.receipts import Receipt
from shared.requests import SolidRequest
from shared.requests.solid import VIEWS
from shared.settings import Settings
from shared.solid.files import encode
from shared.solid.measuring import agreement, figures
from shared.solid.mesh import Solid

_PICTURES = ("image", *VIEWS)  # fields of a request


@dataclass(frozen=True, kw_only=True, eq=False)
class Finished:
    """The solid as a person gets it. `made`: how it was made, for its files; it and `receipt` are None where that isn't
    known. `words`: what there is to say about it."""

    solid: Solid
    receipt: Receipt | None
    made: dict[str, Any] | None
    words: str = ""

    def file(self, kind: str, material: str = "painted") -> bytes:
        """The solid as a file of that kind. Raises `InvalidRequest` for a kind or a material that isn't there."""
        return encode(self.solid, kind, self.made, material)


def finish(output: SolidOutput, receipt: Receipt, request: SolidRequest, settings: Settings) -> Finished:
    """The finished solid. Raises `BackendError` where the check for nudity would cover the picture that it wears."""
    assert output.solid is not None
    words = ""
    if output.picture is not None:
        checked, words = safe(output.picture, settings, str(receipt.extra.get("unchecked", "")))
        if checked is not output.picture:
            raise BackendError(f"{words} The solid would wear this picture, so it isn't shown. Use another one.")
    whole = replace(receipt, extra={**receipt.extra, **figures(output.solid), **_outline(output)})
    return Finished(solid=output.solid, receipt=whole, made=how(whole, request), words=words)


def how(receipt: Receipt, request: SolidRequest) -> dict[str, Any]:
    """What made the solid: receipt and request, without the picture itself, and nothing that is this person's own."""
    told = document(receipt, replace(request, image=None, left_image=None, back_image=None, right_image=None))
    told["request"]["from"] = [name for name in _PICTURES if getattr(request, name) is not None]
    return told


def _outline(output: SolidOutput) -> dict[str, Any]:
    if output.lift is None or output.solid is None:
        return {}
    return {"outline_agreement": round(agreement(output.solid, output.lift.cutout.mask), 4)}
