"""The errors that set-up can end in, and what a person does about each."""

from __future__ import annotations

import re


class SetupError(Exception):
    """Set-up can't go on; the text says why and what to do."""


_RERUN = "Then run the same command again: it goes on from here."
# What pip or the system prints -> what it means. The first that matches is told.
_CAUSES = [
    (
        r"No space left on device|Errno 28|not enough space on the disk",
        "The disk is full. Free some space. " + _RERUN,
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError",
        "The package index's certificate was refused; some schools and companies put their own in between. "
        "Ask for their certificate file, and set PIP_CERT to its path. " + _RERUN,
    ),
    (
        r"407 Proxy|ProxyError|Cannot connect to proxy",
        "The proxy named by HTTPS_PROXY can't be reached or refused. Correct or unset it. " + _RERUN,
    ),
    (
        r"NewConnectionError|Failed to establish a new connection|Name or service not known|name resolution|"
        r"getaddrinfo failed|nodename nor servname|Network is unreachable|Connection refused|No route to host|"
        r"ConnectTimeout|Read timed out|ReadTimeout|timed out|RemoteDisconnected|Connection aborted|"
        r"Connection broken|IncompleteRead",
        "There is no network, or the package index can't be reached. The first set-up needs it; later starts don't. "
        "Connect. " + _RERUN,
    ),
    (
        r"Permission denied|Errno 13|Access is denied",
        "A file or folder can't be written. Check who owns this folder, and that no virus scanner or other program "
        "holds .venv. " + _RERUN,
    ),
    (
        r"No matching distribution found|Could not find a version",
        "The package index has no such version for this Python and system. With PIP_NO_INDEX or an own index set, "
        "unset it; otherwise use Python 3.11 to 3.13. " + _RERUN,
    ),
    (
        r"ensurepip is not available|No module named '?ensurepip",
        "This Python can't make environments. On Debian and Ubuntu: sudo apt-get install python3-venv. " + _RERUN,
    ),
]


def explain(what: str, output: str, log: str) -> SetupError:
    """An error for the step `what` from the output that it printed; `log` is where all of it is."""
    for pattern, advice in _CAUSES:
        if re.search(pattern, output, re.IGNORECASE):
            return SetupError(f"{what} failed. {advice}\nAll that was printed: {log}")
    tail = "\n".join(f"    {line}" for line in output.strip().splitlines()[-12:])
    return SetupError(f"{what} failed. Its last lines:\n{tail}\nAll that was printed: {log}")
