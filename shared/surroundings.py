"""What this process runs in, as far as it is no setting: a notebook, a display, a proxy. It touches the environment."""

from __future__ import annotations

import os
import sys


def on_zero_gpu() -> bool:
    """Whether this is a Space on Hugging Face's ZeroGPU, where a GPU is lent for each run."""
    return os.environ.get("SPACES_ZERO_GPU", "").strip().lower() in {"1", "t", "true"}


def open_to_others() -> None:
    """What is started from now on in this process is reached by others too, through a tunnel."""
    os.environ["PLAYGROUND_PUBLIC"] = "1"


def on_kaggle() -> bool:
    """Whether this runs in one of Kaggle's notebooks, which reach no port of their own machine."""
    return bool(os.environ.get("KAGGLE_KERNEL_RUN_TYPE"))


def loopback_past_proxies() -> None:
    """Keep a proxy from being asked for this machine's own addresses: Gradio calls its own server when it starts."""
    for name in ("NO_PROXY", "no_proxy"):
        named = [part for part in os.environ.get(name, "").split(",") if part.strip()]
        os.environ[name] = ",".join(
            [*named, *(host for host in ("127.0.0.1", "localhost", "::1") if host not in named)]
        )


def has_display() -> bool:
    """Whether a browser opened here would be seen by somebody."""
    if os.environ.get("CI") or os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
