"""Takes keys out of texts that providers send back."""

from __future__ import annotations

import re

from shared.settings import Secret

LONGEST = 400  # characters of a provider's own words that are shown
_KEYS = re.compile(r"(?i)\b(bearer\s+\S+|(?:sk|pk|rk|gsk|hf|key|xai|tgp|AIza)[-_][\w*.…-]{6,}|AIza[\w*-]{10,})")


def redact(text: str, *secrets: Secret | None) -> str:
    """The text without those secrets and without anything that looks like a key, on one line, cut short."""
    for secret in secrets:
        if secret:
            text = text.replace(secret.reveal(), "•••")
    text = _KEYS.sub("•••", " ".join(text.split()))
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
