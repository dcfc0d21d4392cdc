"""What a Space's requirements must be for the hardware that it runs on: the platform's machines differ in torch."""

from __future__ import annotations

import re

# The newest torch that ZeroGPU emulates: https://huggingface.co/docs/hub/spaces-zerogpu
ZEROGPU_TORCH = "2.11.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def kind_of(hardware: str) -> str:
    """`cpu`, `zero` (ZeroGPU) or `gpu`, by the platform's name of the hardware, for example `t4-small`."""
    return {"cpu": "cpu", "zero": "zero"}.get(hardware.partition("-")[0], "gpu")


def requirements_for(text: str, hardware: str) -> str:
    """The requirements with the torch of that hardware, where they name torch at all.

    A processor takes the CPU build, which is a tenth of the usual one; a GPU the usual one; ZeroGPU the newest of the
    versions that it emulates.
    """
    kind = kind_of(hardware)
    if kind == "cpu":
        return text
    lines = [line for line in text.splitlines() if CPU_INDEX not in line and not line.startswith("# A CPU build")]
    if kind == "zero":
        lines = [re.sub(r"^torch==.*", f"torch=={ZEROGPU_TORCH}", line) for line in lines]
    return "\n".join(lines) + "\n"


def merged(texts: list[str]) -> str:
    """The requirements of several Spaces as one file. Raises `ValueError` where two pin one package differently."""
    comments, options, pins = dict[str, None](), dict[str, None](), dict[str, str]()
    for line in (line.strip() for text in texts for line in text.splitlines()):
        name, _, version = line.partition("==")
        if not line or line.startswith("#"):
            comments |= {line: None} if line else {}
        elif line.startswith("--"):
            options[line] = None
        elif pins.setdefault(name, version) != version:
            raise ValueError(f"Two Spaces pin {name} differently: {pins[name]} and {version}. Pin one version.")
    wanted = [f"{name}=={version}" if version else name for name, version in pins.items()]
    return "\n".join([*comments, *options, *wanted]) + "\n"
