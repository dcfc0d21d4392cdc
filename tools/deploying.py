"""Puts a bundled Space on the Hugging Face Hub: made or brought up to date, its secrets set, its start waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.hub_errors import DeployError, explained

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import SpaceInfo

Say = Callable[[str], None]
RUNNING = "RUNNING"
_AT_WORK = ("BUILDING", "RUNNING_BUILDING", "APP_STARTING", "RUNNING_APP_STARTING")
_LOG_LINES = 40  # of the log's end, where a build fails
# Polls for which an older build may still be called running after a commit, where the platform names no commit.
_STALE_POLLS = 3


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What is to be put where. `secrets` maps names to values; it doesn't show them."""

    to: str
    folder: Path
    hardware: str | None = None
    private: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)

    def files(self) -> list[Path]:
        """Its files, by path within the folder."""
        return [p.relative_to(self.folder) for p in sorted(self.folder.rglob("*")) if p.is_file()]

    def without_secrets(self, text: str) -> str:
        """The text with dots in place of every secret's value."""
        for value in self.secrets.values():
            text = text.replace(value, "•••") if value else text
        return text


@dataclass(frozen=True)
class State:
    """What became of it: the platform's word for its stage, its hardware, and why it doesn't run where it doesn't."""

    stage: str
    hardware: str | None = None
    why: str = ""

    @property
    def runs(self) -> bool:
        """Whether it can be visited; a Space that sleeps or pauses was stopped by somebody."""
        return self.stage == RUNNING


def deploy(api: HfApi, wanted: Deployment, say: Say) -> str:
    """Make the Space or bring it up to date; returns the id of the commit. Raises `DeployError`.

    Files that are no longer in the folder are deleted there. All goes in one commit, so that nothing is built from half
    of it. A Space that is public stays as visible as it is unless it is to be private.
    """
    with explained(wanted.to):
        found = _find(api, wanted.to)
        if found is None:
            _create(api, wanted)
            say(f"Made {wanted.to}{' (private)' if wanted.private else ''}.")
        else:
            _bring_up_to_date(api, wanted, found, say)
        return _commit(api, wanted, say)


def hardware_of(api: HfApi, to: str) -> str | None:
    """What the Space runs on, or is to run on, there; None where there is no such Space. Raises `DeployError`.

    What is sent must fit it: each kind has a torch of its own.
    """
    with explained(to):
        if _find(api, to) is None:
            return None
        runtime = api.get_space_runtime(to)
    return _name(runtime.requested_hardware or runtime.hardware)


def _name(value: object) -> str | None:
    return None if value is None else str(getattr(value, "value", value))


def _find(api: HfApi, to: str) -> SpaceInfo | None:
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        return api.space_info(to)
    except RepositoryNotFoundError:
        return None


def _create(api: HfApi, wanted: Deployment) -> None:
    """With its secrets, so that its first start has them."""
    api.create_repo(
        wanted.to,
        repo_type="space",
        space_sdk="gradio",
        private=wanted.private or None,
        space_hardware=wanted.hardware,  # type: ignore[arg-type]  # a name that the client doesn't know yet may be new
        space_secrets=[{"key": n, "value": v} for n, v in wanted.secrets.items()] or None,
        space_variables=[{"key": n, "value": v} for n, v in wanted.variables.items()] or None,
    )


def _bring_up_to_date(api: HfApi, wanted: Deployment, found: SpaceInfo, say: Say) -> None:
    if wanted.private and not found.private:
        api.update_repo_settings(wanted.to, private=True, repo_type="space")
        say(f"{wanted.to} is private now.")
    for name, value in wanted.variables.items():
        api.add_space_variable(wanted.to, name, value)
        say(f"Set the variable {name}.")
    for name, value in wanted.secrets.items():
        api.add_space_secret(wanted.to, name, value)
        say(f"Set the secret {name}.")
    if wanted.hardware:
        asked = api.get_space_runtime(wanted.to)
        if wanted.hardware not in {asked.requested_hardware, asked.hardware}:
            api.request_space_hardware(wanted.to, wanted.hardware)  # type: ignore[arg-type]
            say(f"Asked for {wanted.hardware}.")


def _commit(api: HfApi, wanted: Deployment, say: Say) -> str:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    here = [path.as_posix() for path in wanted.files()]
    gone = sorted(set(api.list_repo_files(wanted.to, repo_type="space")) - set(here))
    operations: list[Any] = [CommitOperationAdd(path, wanted.folder / path) for path in here]
    operations += [CommitOperationDelete(path) for path in gone]
    say(f"Sending {len(here)} files{f', deleting {len(gone)}' if gone else ''} …")
    done = api.create_commit(wanted.to, operations, commit_message="Deploy by run.py", repo_type="space")
    return str(done.oid)


def wait(api: HfApi, wanted: Deployment, commit: str, say: Say, *, seconds: float = 1800.0, poll: float = 5.0) -> State:
    """Wait until that commit runs or has failed, telling each new stage. Raises `DeployError`, also after `seconds`."""
    end, told, stale = time.monotonic() + seconds, "", _STALE_POLLS
    while True:
        with explained(wanted.to):
            runtime = api.get_space_runtime(wanted.to)
        stage = str(_name(runtime.stage))
        built = runtime.raw.get("sha")
        if stage != told:
            say(f"{wanted.to}: {stage.lower().replace('_', ' ')}")
            told = stage
        # Right after a commit the platform may still tell of the build before it.
        older = stage == RUNNING and (built != commit if built else stale > 0)
        stale -= 1
        if stage not in _AT_WORK and not older:
            why = "" if stage == RUNNING else _why(api, wanted, stage, runtime.raw)
            return State(stage, _name(runtime.hardware or runtime.requested_hardware), why)
        if time.monotonic() >= end:
            raise DeployError(
                f"{wanted.to} is still {stage.lower().replace('_', ' ')} after {seconds:.0f} seconds. Look at its "
                f"page: {api.endpoint}/spaces/{wanted.to}"
            )
        time.sleep(poll)


def _why(api: HfApi, wanted: Deployment, stage: str, raw: Mapping[str, Any]) -> str:
    """The platform's own words, and the end of the log where it gives one."""
    from huggingface_hub.errors import HfHubHTTPError

    said = str(raw.get("errorMessage") or "")
    try:
        lines = list(api.fetch_space_logs(wanted.to, build=stage == "BUILD_ERROR"))
    except (HfHubHTTPError, OSError):
        lines = ["(The log could not be read.)"]
    tail = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines[-_LOG_LINES:])
    return wanted.without_secrets(f"{said}\n{tail}".strip())
