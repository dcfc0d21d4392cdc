"""Hugging Face's ZeroGPU: a GPU that is lent for one run, to a fork of this process, against the visitor's own quota.

The package `spaces`, which the platform brings, makes torch believe that there is a GPU. A model is loaded "on cuda"
here, without one; a run goes to a fork, where a real GPU is and the model is moved to it. `pool` lends such models out,
`running` is what happens in the fork, `asking` how much time is asked for, and `told` what its refusals mean.
"""

from __future__ import annotations

from importlib import import_module


def gpu() -> tuple[str, float]:
    """The name of the GPU that is lent, and its memory that one run may use, in GiB."""
    from spaces.zero.config import get_config

    config = get_config()
    # Above the threshold the larger and dearer share of the card would be taken for every run.
    room = min(config["memory"], config["xlarge_threshold"] or config["memory"])
    return f"ZeroGPU ({config['model']})", room / 1024**3


def report() -> None:
    """Tell the platform that the server is about to start, and lay the models that are loaded ready for the forks.

    Gradio's `launch` does this; a server of our own that starts without it must.
    """
    import_module("spaces.zero").startup()  # it is there on ZeroGPU only
