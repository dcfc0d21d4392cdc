"""A page that was open before its server was started: what runs on it stays its visitor's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from gradio_client import Client

from shared.jobs.owners import Owners
from shared.state.database import FILE, Database
from shared.state.visited import Visited
from tests.support.api import calling
from tests.support.server import started

SESSION = "apageofada1"


def touched(url: str, token: str) -> str:
    """What a page does when it is first touched; the token that its browser keeps from then on."""
    config: dict[str, Any] = httpx.get(f"{url}/config", timeout=60).json()
    (button,) = [each["id"] for each in config["components"] if each["props"].get("elem_id") == "touched"]
    (event,) = [each["id"] for each in config["dependencies"] if [button, "click"] in each["targets"]]
    said = {"data": [token], "fn_index": event, "session_hash": "another-page"}
    answer = httpx.post(f"{url}/gradio_api/run/predict", json=said, timeout=60).raise_for_status().json()
    return str(answer["data"][0])


def runs(client: Client, token: str) -> int:
    told = client.predict(token, api_name="/history")
    return len(told["runs"])


def test_an_open_page_goes_on_being_its_visitors_at_a_server_that_was_started_anew(tmp_path: Path) -> None:
    before = Owners(tmp_path / "jobs")  # what an earlier server gave out and wrote down
    ada = before.new()
    Visited(Database(tmp_path / FILE)).add(SESSION, before.owner(ada))
    env = {"PLAYGROUND_DATA": str(tmp_path)}
    with started("spaces/chat/app.py", env=env) as server, calling(server.url) as client:
        forged = f"{ada}x"
        assert touched(server.url, ada) == ada
        bob = touched(server.url, forged)
        assert bob not in {"", ada, forged}
        rows = client.predict(api_name="/models")
        way = next(row["variant"] for row in rows if "Q4_1" in row["variant"])  # needs nothing to be made first
        for session in (SESSION, SESSION, "another-page", "apageofada2"):
            client.session_hash = session
            client.predict("Hi", engine_variant=way, max_tokens=2, api_name="/chat")
        assert [runs(client, token) for token in (ada, bob, forged, "")] == [2, 1, 0, 0]
