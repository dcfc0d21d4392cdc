"""Plays the part of the Hugging Face Hub that Spaces are put on: makes them, takes files by LFS or in commits, keeps
secrets, and tells how a Space starts. It speaks to the real client over HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.fake_server import Act, Asked, FakeServer, serving

TOKEN = "hf_token_of_someone"
PUBLISHER = "hf_jwt_of_a_publisher"  # a trusted publisher's: it writes files and nothing else
OWNER = "someone"
LARGE = 10_000_000
_LFS = ".git/info/lfs/objects/batch"


@dataclass
class Space:
    """A Space as the Hub has it. `stages`: what it tells of itself, one a question; the last stays."""

    private: bool = False
    hardware: str | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    commits: list[list[str]] = field(default_factory=list)
    stages: list[str] = field(default_factory=lambda: ["BUILDING", "APP_STARTING", "RUNNING"])
    error: str = ""

    @property
    def sha(self) -> str:
        return f"{len(self.commits):040x}"


class FakeSpaces:
    """The Hub. `failing`: answers for paths that begin so, in place of its own."""

    def __init__(self, server: FakeServer) -> None:
        self.server, self.spaces = server, dict[str, Space]()
        self.stored = dict[str, bytes]()
        self.failing = dict[str, Act]()
        self.log = ["Installing\n", "ERROR: No matching distribution found for nonsense==1\n"]
        self.tokens = set[str]()
        self.stages = ["BUILDING", "APP_STARTING", "RUNNING"]
        self.error = ""
        server.routes[""] = self.answer

    @property
    def url(self) -> str:
        return self.server.url

    def answer(self, asked: Asked) -> Act:
        path = unquote(urlsplit(asked.path).path)
        for prefix, act in self.failing.items():
            if path.startswith(prefix):
                return act
        if path.startswith("/lfs/"):
            self.stored[path.removeprefix("/lfs/")] = asked.raw
            return Act()
        if path == "/oauth/token":
            return self._exchange(asked)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        self.tokens.add(token)
        if token not in {TOKEN, PUBLISHER}:
            return Act(401, {"X-Error-Message": "Invalid credentials in Authorization header"}, {"error": "no"})
        if path == "/api/validate-yaml":
            return self._validate(asked)
        if path == "/api/repos/create":
            return self._create(asked, token)
        place = path.removeprefix("/api").removeprefix("/spaces/").removesuffix(_LFS)
        name = "/".join(place.split("/")[:2])
        space = self.spaces.get(name)
        if space is None:
            return Act(404, {"X-Error-Code": "RepoNotFound"}, {"error": "Repository not found"})
        if path.endswith(_LFS):
            return self._lfs(asked)
        what = path.removeprefix(f"/api/spaces/{name}").strip("/").partition("/")[0]
        if token == PUBLISHER and what in {"secrets", "variables", "hardware", "settings"}:
            return Act(403, {}, {"error": "This token may not"})
        return getattr(self, f"_{what or 'info'}")(asked, name, space)  # type: ignore[no-any-return]

    def _exchange(self, asked: Asked) -> Act:
        known = asked.body["resource"].removeprefix("spaces/") in self.spaces
        if asked.body["subject_token"] != "id-token" or not known:
            return Act(400, {}, {"error": "invalid_grant", "error_description": "No publisher matches"})
        return Act(body={"access_token": PUBLISHER, "token_type": "bearer", "expires_in": 3600})

    def _validate(self, asked: Asked) -> Act:
        wrong = [] if "sdk: gradio" in asked.body["content"] else [{"message": '"sdk" is required'}]
        return Act(400 if wrong else 200, {}, {"errors": wrong, "warnings": []})

    def _create(self, asked: Asked, token: str) -> Act:
        body = asked.body
        name = f"{body['organization']}/{body['name']}"
        if name in self.spaces:
            return Act(409, {}, {"error": "You already created this space repo", "url": f"{self.url}/spaces/{name}"})
        if body["organization"] != OWNER or token != TOKEN:
            return Act(403, {}, {"error": f"You don't have the rights to create a space under {body['organization']}"})
        assert body["type"] == "space" and body["sdk"] == "gradio"
        space = self.spaces[name] = Space(body.get("visibility") == "private", body.get("hardware"))
        space.secrets = {each["key"]: each["value"] for each in body.get("secrets", ())}
        space.variables = {each["key"]: each["value"] for each in body.get("variables", ())}
        space.files = {".gitattributes": b"", "README.md": b"---\nsdk: gradio\n---\n"}
        return Act(body={"url": f"{self.url}/spaces/{name}"})

    def _info(self, asked: Asked, name: str, space: Space) -> Act:
        return Act(body={"id": name, "sha": space.sha, "private": space.private, "siblings": [], "tags": []})

    _revision = _info

    def _settings(self, asked: Asked, name: str, space: Space) -> Act:
        space.private = asked.body["visibility"] == "private"
        return Act()

    def _tree(self, asked: Asked, name: str, space: Space) -> Act:
        return Act(body=[{"type": "file", "path": p, "size": len(d), "oid": _git(d)} for p, d in space.files.items()])

    def _preupload(self, asked: Asked, name: str, space: Space) -> Act:
        told = []
        for file in asked.body["files"]:
            large = file["size"] > LARGE or b"\0" in base64.b64decode(file["sample"])
            held = space.files.get(file["path"])
            told.append(
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if large else "regular",
                    "shouldIgnore": False,
                    "oid": None if held is None else (hashlib.sha256(held).hexdigest() if large else _git(held)),
                }
            )
        return Act(body={"files": told})

    def _lfs(self, asked: Asked) -> Act:
        objects = []
        for each in asked.body["objects"]:
            act = {"upload": {"href": f"{self.url}/lfs/{each['oid']}", "header": {}}}
            objects.append(each | ({} if each["oid"] in self.stored else {"actions": act}))
        return Act(body={"transfer": "basic", "objects": objects})

    def _commit(self, asked: Asked, name: str, space: Space) -> Act:
        done = []
        for line in map(json.loads, asked.raw.splitlines()):
            value, path = line["value"], line["value"].get("path", "")
            if line["key"] == "file":
                space.files[path] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                space.files[path] = self.stored[value["oid"]]
            elif line["key"] == "deletedFile":
                del space.files[path]
            done.append(f"{line['key']} {path}".strip())
        space.commits.append(done)
        space.stages, space.error = list(self.stages), self.error
        return Act(body={"commitUrl": f"{self.url}/spaces/{name}/commit/{space.sha}", "commitOid": space.sha})

    def _secrets(self, asked: Asked, name: str, space: Space) -> Act:
        space.secrets[asked.body["key"]] = asked.body["value"]
        return Act()

    def _variables(self, asked: Asked, name: str, space: Space) -> Act:
        space.variables[asked.body["key"]] = asked.body["value"]
        return Act(body={key: {"value": value} for key, value in space.variables.items()})

    def _hardware(self, asked: Asked, name: str, space: Space) -> Act:
        space.hardware = asked.body["flavor"]
        return self._runtime(asked, name, space)

    def _runtime(self, asked: Asked, name: str, space: Space) -> Act:
        stage = space.stages.pop(0) if len(space.stages) > 1 else space.stages[0]
        body: dict[str, Any] = {"stage": stage, "hardware": {"current": space.hardware, "requested": space.hardware}}
        body |= {"gcTimeout": None, "sha": space.sha} | ({"errorMessage": space.error} if space.error else {})
        return Act(body=body)

    def _logs(self, asked: Asked, name: str, space: Space) -> Act:
        lines = [json.dumps({"data": line, "timestamp": "2026-01-01T00:00:00Z"}) for line in self.log]
        return Act(chunks=tuple(f"data: {line}\n\n" for line in lines))


def _git(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextmanager
def spaces_hub() -> Iterator[FakeSpaces]:
    """A Hub for the length of the block."""
    with serving(Act()) as server:
        yield FakeSpaces(server)
