"""The chat Space's start to its first page, over a bare Gradio app's."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from measuring import free_port, give, row, started, stopped

BARE = """
import os
import gradio as gr
with gr.Blocks(analytics_enabled=False) as demo:
    gr.Markdown("# A page")
demo.launch(server_port=int(os.environ["PLAYGROUND_PORT"]), quiet=True, ssr_mode=False)
"""
ROUNDS = 7


def once(command: list[str]) -> float:
    """Seconds of one start."""
    child, took = started(command, free_port())
    stopped(child)
    return took


def main() -> None:
    """Pairs in turns, after one of each to warm the disk's cache."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE, "utf-8")
        commands = ["spaces/chat/app.py"], [str(bare)]
        for command in commands:
            once(command)
        pairs = [(once(commands[0]), once(commands[1])) for _ in range(ROUNDS)]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    details = f"median of {ROUNDS} pairs; {ours:.2f} s against {theirs:.2f} s"
    give([row("Space's start to first page / bare Gradio app's", ratio, "times", "<= 1.2", details)])


if __name__ == "__main__":
    main()
