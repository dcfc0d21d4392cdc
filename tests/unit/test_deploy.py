"""Spaces are put on the Hub by the Hub's own client, against a server that speaks its API; nothing is sent unasked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from tests.support.fake_server import Act
from tests.support.fake_spaces import OWNER, TOKEN, FakeSpaces, spaces_hub
from tests.support.server import ROOT
from tools.deploying import Deployment, deploy, wait
from tools.hub_errors import DeployError

# huggingface_hub 2.4 sends a file by LFS in a way that httpx2 is about to rename.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw bytes:DeprecationWarning")

NAME = f"{OWNER}/toy"
SECRET = "a-secret-value"


@pytest.fixture(autouse=True)
def by_lfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large files go by LFS: the Hub's newer store speaks a protocol of its own, which nothing here can play."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)


@pytest.fixture
def hub() -> Iterator[FakeSpaces]:
    with spaces_hub() as fake:
        yield fake


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "bundle"
    (place / "shared").mkdir(parents=True)
    (place / "app.py").write_text("print('hello')\n")
    (place / "README.md").write_text("---\nsdk: gradio\n---\n# Toy\n")
    (place / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (place / "shared" / "weights.bin").write_bytes(bytes(range(256)) * 40)
    return place


def put(hub: FakeSpaces, wanted: Deployment, token: str | bool = TOKEN) -> tuple[str, list[str]]:
    """What became of it, and all that was said."""
    api, said = HfApi(endpoint=hub.url, token=token), list[str]()
    commit = deploy(api, wanted, said.append)
    state = wait(api, wanted, commit, said.append, seconds=20, poll=0.01)
    return f"{state.stage} {state.hardware} {state.why}".strip(), said


def test_a_space_is_made_with_its_secrets_and_waited_for(hub: FakeSpaces, folder: Path) -> None:
    wanted = Deployment(
        to=NAME,
        folder=folder,
        hardware="zero-a10g",
        private=True,
        secrets={"OPENAI_API_KEY": SECRET},
        variables={"PLAYGROUND_SAFETY": "strict"},
    )
    became, said = put(hub, wanted)
    space = hub.spaces[NAME]
    assert became == "RUNNING zero-a10g" and space.private and space.hardware == "zero-a10g"
    assert space.secrets == {"OPENAI_API_KEY": SECRET} and space.variables == {"PLAYGROUND_SAFETY": "strict"}
    assert space.files == {p.as_posix(): (folder / p).read_bytes() for p in wanted.files()}
    assert len(space.commits) == 1 and "lfsFile shared/weights.bin" in space.commits[0]
    assert [line for line in said if line.startswith(NAME)] == [
        f"{NAME}: {stage}" for stage in ("building", "app starting", "running")
    ]
    assert SECRET not in f"{said}{wanted!r}"


def test_an_update_sends_what_changed_and_deletes_what_went(hub: FakeSpaces, folder: Path) -> None:
    put(hub, Deployment(to=NAME, folder=folder, secrets={"A": "1"}))
    (folder / "app.py").unlink()
    (folder / "main.py").write_text("print('new')\n")
    put(hub, Deployment(to=NAME, folder=folder, hardware="l4x1", private=True, secrets={"B": SECRET}))
    space = hub.spaces[NAME]
    assert set(space.commits[1]) == {"header", "file main.py", "deletedFile app.py"}
    assert space.secrets == {"A": "1", "B": SECRET} and space.hardware == "l4x1" and space.private


def test_one_that_is_public_stays_as_it_is_and_no_older_build_is_taken_for_the_new(
    hub: FakeSpaces, folder: Path
) -> None:
    put(hub, Deployment(to=NAME, folder=folder, private=True))
    hub.failing[f"/api/spaces/{NAME}/runtime"] = Act(body={"stage": "RUNNING", "sha": "0" * 40, "hardware": {}})
    with pytest.raises(DeployError, match="is still running after"):
        wait(
            HfApi(endpoint=hub.url, token=TOKEN),
            Deployment(to=NAME, folder=folder),
            "1" * 40,
            lambda _: None,
            seconds=0.1,
            poll=0.01,
        )
    hub.failing.clear()
    put(hub, Deployment(to=NAME, folder=folder))
    assert hub.spaces[NAME].private


def test_a_failed_build_is_told_with_its_log_and_no_secret(hub: FakeSpaces, folder: Path) -> None:
    hub.stages, hub.error = ["BUILDING", "BUILD_ERROR"], f"exit 1 {SECRET}"
    hub.log += [f"OPENAI_API_KEY={SECRET}\n"]
    became, _ = put(hub, Deployment(to=NAME, folder=folder, secrets={"OPENAI_API_KEY": SECRET}))
    assert became.startswith("BUILD_ERROR None exit 1 •••") and "No matching distribution" in became
    assert SECRET not in became


@pytest.mark.parametrize(
    ("token", "to", "failing", "words"),
    [
        ("hf_wrong", NAME, {}, "doesn't take the token"),
        (TOKEN, "somebody/toy", {}, "must be yours or an organisation's"),
        (TOKEN, NAME, {"/api/repos/create": Act(429, {"Retry-After": "240"}, {"error": "slow"})}, "Wait 240 seconds"),
        (TOKEN, NAME, {"/api/repos/create": Act(402, {}, {"error": "PRO"})}, "--hardware zero-a10g"),
        (TOKEN, NAME, {f"/api/spaces/{NAME}/commit": Act(500, {}, {"error": "oh"})}, "trouble of its own"),
    ],
)
def test_a_refusal_says_what_to_do(
    hub: FakeSpaces, folder: Path, token: str, to: str, failing: dict[str, Act], words: str
) -> None:
    hub.failing |= failing
    with pytest.raises(DeployError, match=words):
        put(hub, Deployment(to=to, folder=folder), token)


def test_no_hub_is_told(folder: Path) -> None:
    with pytest.raises(DeployError, match="can't be reached"):
        deploy(HfApi(endpoint="http://127.0.0.1:9", token=TOKEN), Deployment(to=NAME, folder=folder), print)


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command as `run.py` starts it, with no token of the tester's own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "tools.deploy_inside", *arguments],
        cwd=ROOT,
        env=kept | {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"} | env,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_command_deploys_a_real_space_by_trusted_publishing(hub: FakeSpaces, folder: Path, tmp_path: Path) -> None:
    """No token is stored: the job's identity is exchanged for one that may write this Space's files only."""
    put(hub, Deployment(to=NAME, folder=folder))
    hub.spaces[NAME].hardware = "zero-a10g"  # what is sent must fit what it runs on, though nobody says so
    env = {"HF_ENDPOINT": hub.url, "HOME": str(tmp_path), "HF_OIDC_RESOURCE": f"spaces/{NAME}"}
    done = run("chat", "--to", NAME, "--poll", "0.05", HF_OIDC_ID_TOKEN="id-token", **env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"It runs on zero-a10g: {hub.url}/spaces/{NAME}" in done.stdout
    files = hub.spaces[NAME].files
    assert {"app.py", "shared/engine.py", "starter_weights/SmolLM2-135M-Instruct.Q4_1.gguf"} <= set(files)
    assert "shared/weights.bin" not in files and b"torch==2.11.0" in files["requirements.txt"]
    refused = run("chat", "--to", NAME, HF_OIDC_ID_TOKEN="of-another-job", **env)
    assert refused.returncode == 1 and "Traceback" not in refused.stderr, refused.stderr


def test_a_dry_run_asks_nobody_and_shows_no_value(tmp_path: Path) -> None:
    done = run(
        *("text2audio", "--to", NAME, "--hardware", "l4x1", "--dry-run", "--variable", "PLAYGROUND_SAFETY=strict"),
        *("--secret", "OPENAI_API_KEY"),
        HOME=str(tmp_path),
        OPENAI_API_KEY=SECRET,
        HF_ENDPOINT="http://127.0.0.1:9",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("hardware: l4x1", "secrets: OPENAI_API_KEY", "PLAYGROUND_SAFETY=strict", "Nothing was sent"):
        assert words in done.stdout
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("chat", "--to", NAME), "There is no Hugging Face token"),
        (("chat", "--to", "toy"), "must be USER/NAME"),
        (("nonsense", "--to", NAME), "There are: "),
        (("chat", "--to", NAME, "--secret", "MISSING_KEY"), "set the environment variable"),
        (("chat", "--to", NAME, "--secret", f"KEY={SECRET}"), "doesn't go on the command line"),
        (("chat", "--to", NAME, "--variable", f"OPENAI_API_KEY={SECRET}"), "by --secret OPENAI_API_KEY"),
    ],
)
def test_the_command_refuses_in_words(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = run(*arguments, HOME=str(tmp_path), HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 1 and words in done.stdout and "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr
