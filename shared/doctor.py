"""Says what this machine can run, what is missing, and what mends it."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator

from shared import machine
from shared.audio import quality
from shared.audio.cloning.marking import missing
from shared.audio.listening.rows import listeners, reason
from shared.catalog import load_catalog
from shared.engine import Engine
from shared.errors import BackendError
from shared.settings import KEY_VARIABLES, Settings, from_environment
from shared.starter import starters, verify


def report(settings: Settings) -> Iterator[str]:
    """The report, line by line. A key is only ever said to be set or not."""
    probed = machine.probe()
    yield f"Python     {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield f"Machine    {probed.describe()}, {machine.free_ram_gb():.1f} GB free"
    yield f"Disk       {shutil.disk_usage('.').free / 1e9:.0f} GB free here"
    for package, filename in starters():
        yield f"Starter    {_starter(package, filename, settings)}"
    for listener in listeners().values():
        yield f"Listener   {listener.name}: {reason(listener) or 'listens here'}"
    yield f"Rating     DNSMOS, of speech: {_rating()}"
    yield f"Watermark  Perth, in imitated voices: {missing() or 'marks here'}"
    for variable in KEY_VARIABLES:
        known = "set" if settings.server_keys.get(variable) else f"not set; to use it: export {variable}=..."
        yield f"Key        {variable}: {known}"
    engine = Engine(load_catalog(), settings, probed)
    for spec in engine.catalog:
        for choice in engine.choices_for(spec):
            yield f"Model      {spec.name}, {choice.variant.backend}: {choice.reason or 'runs here'}"


def _rating() -> str:
    try:
        quality.check()
    except BackendError as error:
        return str(error)
    return "rates here"


def _starter(package: str, filename: str, settings: Settings) -> str:
    try:
        verify(package, filename, settings.data_dir)
    except BackendError as error:
        return str(error)
    return f"{filename}: present and whole"


if __name__ == "__main__":
    for line in report(from_environment()):
        print(line)
