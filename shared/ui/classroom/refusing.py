"""What nobody may ask of a class's server, whoever they are: calls of other sites' pages, and what Gradio has for other
uses than ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

# Routes of Gradio's that no page here needs. `deep_link` writes a file at each call, of what anybody likes; `file=` of
# an address and `proxy=` fetch other sites for whoever asks, as this server; the rest is for who writes a page.
_CLOSED = re.compile(
    r"(?:/[\w-]+)?/(?:gradio_api/(?:deep_link|proxy=|file[=/]\s*https?:|process_recording|run-history|dev/|profiling"
    r"|vibe-|undo-vibe-)|monitoring|login|logout)",
    re.IGNORECASE,
)


def closed(path: str) -> bool:
    """Whether a path is one of Gradio's that nothing here needs."""
    return _CLOSED.match(path) is not None


def foreign(scope: Mapping[str, Any]) -> bool:
    """Whether another site's page makes the call: cookies come along with that too. A link to here is none.

    Browsers say so by themselves where the server is reached safely; elsewhere `Origin` tells, which is "null" from
    pages that tell nobody where they are. Programs say neither.
    """
    headers = Headers(scope=scope)  # type: ignore[arg-type]
    if site := headers.get("sec-fetch-site"):
        opens = headers.get("sec-fetch-mode") == "navigate" and scope["method"] in {"GET", "HEAD"}
        return site not in {"same-origin", "none"} and not opens
    origin = headers.get("origin", "null")
    if origin == "null":
        return False
    return origin.partition("://")[2] not in {headers.get("host"), headers.get("x-forwarded-host")}
