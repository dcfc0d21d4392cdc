"""The recording of a person whose voice is to be imitated, and that they agreed to it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import InvalidRequest


@dataclass(frozen=True)
class Consent:
    """How the person agreed, in words. `checked`: a listener heard them say so in the recording itself."""

    how: str
    checked: bool


@dataclass(frozen=True)
class Reference:
    """16-bit samples of one channel, `sample_rate` a second; `text` is what is said in them."""

    pcm: bytes
    sample_rate: int
    text: str
    consent: Consent | None = None

    def validate(self) -> None:
        """Raise `InvalidRequest` where nobody agreed, or where there is no recording."""
        if self.consent is None:
            raise InvalidRequest(
                "A voice is imitated only where the person it belongs to has agreed. Record or upload them reading the "
                "sentence of consent, and have it checked first."
            )
        if not self.pcm or not self.text.strip():
            raise InvalidRequest("The recording is empty. Record or upload it again.")
