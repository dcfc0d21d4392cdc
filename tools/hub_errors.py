"""What the Hugging Face Hub's refusals mean to who deploys, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

NO_TOKEN = (
    "There is no Hugging Face token. Make one that may write (https://huggingface.co/settings/tokens), then run "
    "`.venv/bin/hf auth login`, or set HF_TOKEN. In GitHub Actions no token is needed: see docs/deploy.md."
)
_TOLD = {
    401: "The Hub doesn't take the token: it is mistyped, revoked or expired. Run `.venv/bin/hf auth login`, or set "
    "HF_TOKEN.",
    402: "The Hub asks for a plan: a free account hosts no Gradio Space on cpu-basic. Ask for ZeroGPU with "
    "--hardware zero-a10g, of which an account has two for nothing, or see https://huggingface.co/pricing.",
    403: "The token may not do that to {to}: the name before the slash must be yours or an organisation's where you "
    "may write, and the token must be one that may write there. A trusted publisher's token writes files only: make "
    "the Space, its secrets and its hardware once by hand.",
    404: "The Hub knows no {to}, or the token may not see it.",
    409: "The Hub is at work on {to} already. Wait a minute, and run the same command again.",
    429: "The Hub says: too many requests. Wait {wait}, and run the same command again.",
}


_TROUBLE = "The Hub has trouble of its own. Try again in a few minutes."
_REFUSED = "The Hub refused it."


class DeployError(Exception):
    """It could not be put there; the text says what to do."""


@contextmanager
def explained(to: str) -> Iterator[None]:
    """Within the block, what the Hub's client raises becomes a `DeployError` in words for a person."""
    from httpx2 import TransportError
    from huggingface_hub.errors import HfHubHTTPError, OIDCError

    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        after = error.response.headers.get("Retry-After") if error.response is not None else None
        words = _TOLD.get(status) or (_TROUBLE if status >= 500 else _REFUSED)
        said = (error.server_message or "").strip()
        words = words.format(to=to, wait=f"{after} seconds" if after else "a few minutes")
        raise DeployError(f"{words} (HTTP {status}{f': {said}' if said else ''})".strip()) from error
    except OIDCError as error:
        raise DeployError(f"Trusted publishing doesn't work here. {error}") from error
    except RuntimeError as error:  # the client's word for a file that didn't get there
        raise DeployError(f"{error} Run the same command again: what is there already isn't sent twice.") from error
    except TransportError as error:
        raise DeployError("The Hub can't be reached. Check the network, and run the same command again.") from error
