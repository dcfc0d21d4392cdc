"""How the engines' threads wait for each other."""

from __future__ import annotations

import os

# Turns of GNU OpenMP's waiting loop before a thread sleeps. Its default keeps a core busy for milliseconds. Measured
# on two cores with the starter model, in tokens a second: by itself 170 with this, 171 by default, 35 with threads
# that sleep at once; beside two busy processes 52 with this, and between 43 and 1.5 by default.
SPINS = "20000"


def share_cores() -> None:
    """Make OpenMP's threads give up their core soon while they wait, as they must where others use it too.

    Call it before an engine's library is imported: OpenMP reads the environment once. What the person set stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
