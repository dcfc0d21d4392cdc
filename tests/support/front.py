"""A front in a process of its own: `python -m tests.support.front FILE` joins the cluster that the file describes, asks
the paced model that the tests have there who it is, and prints the number of the process that answered."""

from __future__ import annotations

import sys
from pathlib import Path

from shared.catalog import Catalog, ModelSpec, Variant
from shared.cluster.config import read_config
from shared.cluster.pool import RayPool
from shared.cluster.starting import disconnect
from shared.engine import Engine
from shared.events import Final
from shared.settings import Settings
from shared.tasks import Task
from tests.support.fakes import SMALL, ask
from tests.support.paced import listed, paced


def variant() -> Variant:
    """The model that both fronts mean."""
    return paced("several", pause=0.01, context=300)


def main(file: str) -> None:
    """Ask once."""
    with listed():
        pool = RayPool(Settings(), SMALL, read_config(Path(file)))
        spec = ModelSpec(id="m", name="M", task=Task.CHAT, license="MIT", variants=(variant(),))
        *_, final = Engine(Catalog([spec]), Settings(), SMALL, pool).generate("m", ask("Who?"))
        assert isinstance(final, Final)
        print(final.output.text.split()[0], pool.describe())
        disconnect()


if __name__ == "__main__":
    main(sys.argv[1])
