"""Where the contract suite runs torch's models: on the processor, or on what PLAYGROUND_TEST_DEVICE names (`cuda`).

A machine with a GPU runs the same suite twice: as anybody does, and once more with that variable. See CONTRIBUTING.md.
PLAYGROUND_TEST_OFFLOAD (`parts`, `layers`) lays diffusers' models there in pieces, as on a card too small for them.
"""

from __future__ import annotations

import os

DEVICE = os.environ.get("PLAYGROUND_TEST_DEVICE", "cpu")
DTYPE = "float32" if DEVICE == "cpu" else "bfloat16"  # what `auto` comes to there, on a card since Ampere (2020)
PIECES = {"offload": os.environ["PLAYGROUND_TEST_OFFLOAD"]} if "PLAYGROUND_TEST_OFFLOAD" in os.environ else {}
