"""What OpenAI's moderation says on the wire."""

from __future__ import annotations

from typing import Any

from shared.settings import Secret, Settings
from tests.support.fake_server import Act, Asked, FakeServer
from tests.support.hosted import KEY

KINDS = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip


def verdict(flagged: tuple[str, ...] = (), **scores: float) -> Act:
    """An answer; a flagged kind without a score has 0.9, any other 0.001. `_` in a name stands for `/`."""
    given = {name.replace("_", "/"): score for name, score in scores.items()}
    rated = {kind: given.get(kind, 0.9 if kind in flagged else 0.001) for kind in KINDS}
    applied = {kind: ["text"] for kind in KINDS}
    result: dict[str, Any] = {
        "flagged": bool(flagged), "categories": {kind: kind in flagged for kind in KINDS},
        "category_scores": rated, "category_applied_input_types": applied,
    }  # fmt: skip
    return Act(body={"id": "modr-1", "model": "omni-moderation-latest", "results": [result]})


def by_word(asked: Asked) -> Act:
    """Flags what has the word `fight` in it, as violence."""
    return verdict(("violence",)) if "fight" in str(asked.body["input"]) else verdict()


def asked_of(fake: FakeServer, **more: Any) -> Settings:
    """Settings with a key, whose provider is the fake server."""
    urls = {"base_urls": {"openai": f"{fake.url}/v1"}, "server_keys": {"OPENAI_API_KEY": Secret(KEY)}}
    return Settings(**{**urls, "connect_timeout": 5.0, **more})
