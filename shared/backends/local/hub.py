"""Fetches a model's files from the Hugging Face Hub: what is here already is used with no network at all."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import BackendError, HubUnavailable, MissingCredentials, UnknownModel
from shared.events import Progress
from shared.settings import Settings
from shared.streaming import Emit

# Never fetched, whatever is asked for: pickles, and code.
REFUSED = ["*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.msgpack", "*.h5", "*.py"]


@dataclass(frozen=True)
class Fetched:
    """The folder with the files, and the commit they are of."""

    path: Path
    revision: str


def fetch(
    repo_id: str, settings: Settings, emit: Emit, *, revision: str | None = None, allow_patterns: Sequence[str]
) -> Fetched:
    """The files that match, downloaded where they are not here yet.

    Raises `HubUnavailable` within `settings.hub_timeout` seconds where the Hub doesn't answer, `UnknownModel`,
    or `MissingCredentials` for a model behind a licence.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    key = settings.key("HF_TOKEN")
    here = settings.offline or not _answers(settings)
    emit(Progress(f"Looking for {repo_id}" + (" on this machine" if here else "")))
    try:
        token = key.reveal() if key else False
        folder = snapshot_download(
            repo_id,
            revision=revision,
            token=token,
            local_files_only=here,
            allow_patterns=list(allow_patterns),
            ignore_patterns=REFUSED,
        )
    except GatedRepoError:
        raise MissingCredentials(
            f"{repo_id} is behind a licence: accept it on its page. Hugging Face", "HF_TOKEN"
        ) from None
    except RepositoryNotFoundError:
        raise UnknownModel(f"The Hub has no model called {repo_id}, or it is private. Check the name.") from None
    except LocalEntryNotFoundError:
        raise _unavailable(repo_id) from None
    except OSError as error:
        raise BackendError(f"The download of {repo_id} failed: {error}. Try again: it goes on from there.") from error
    path = Path(folder)
    wanted = [name for name in allow_patterns if "*" not in name and not (path / name).is_file()]
    if wanted:
        raise _unavailable(repo_id) if here else UnknownModel(f"{repo_id} has no file called {wanted[0]}.")
    return Fetched(path, path.name)


def _unavailable(repo_id: str) -> HubUnavailable:
    return HubUnavailable(
        f"{repo_id} is not on this machine, and the Hugging Face Hub can't be reached. "
        "Connect to the network and try again, or choose a starter model."
    )


def _answers(settings: Settings) -> bool:
    """Whether the Hub answers in time, name look-up included; a network that swallows packets must not hang us."""
    from huggingface_hub import constants

    good, done = threading.Event(), threading.Event()

    def ask() -> None:
        try:
            call = urllib.request.Request(constants.ENDPOINT, method="HEAD")
            with urllib.request.urlopen(call, timeout=settings.hub_timeout):
                good.set()
        except (OSError, ValueError):
            pass
        done.set()

    threading.Thread(target=ask, daemon=True).start()
    done.wait(settings.hub_timeout)
    return good.is_set()
