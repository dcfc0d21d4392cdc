"""How the engines' threads wait for each other."""

from __future__ import annotations

import os


def wait_without_spinning() -> None:
    """Make OpenMP's threads sleep while they wait, as they must where a core is shared.

    By default they spin. With both cores of a two-core machine in use by others, the starter model then wrote
    1.5 tokens a second instead of 34. Call it before an engine's library is imported: OpenMP reads the
    environment once, and a policy that was set by the person stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
