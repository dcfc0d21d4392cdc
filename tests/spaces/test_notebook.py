"""The notebook's own cells, run as they stand: what the Space needs is installed, and it is served."""

from __future__ import annotations

import ast
import json
import sys
import time
from pathlib import Path

import pytest

from shared import notebook
from tests.support.server import ROOT, started

CELLS = json.loads((ROOT / "notebooks" / "playground.ipynb").read_text("utf-8"))["cells"]


def code() -> str:
    """The cells without the notebook's own commands; what a cell ends in is printed, as a notebook shows it."""
    parts = []
    for cell in CELLS:
        if cell["cell_type"] != "code":
            continue
        lines = [line for line in "".join(cell["source"]).splitlines() if not line.startswith(("!", "%"))]
        tree = ast.parse("\n".join(lines))
        if isinstance(last := tree.body[-1], ast.Expr):
            tree.body[-1] = ast.parse(f"print('it says:', {ast.unparse(last.value)})").body[0]
        parts.append(ast.unparse(tree))
    return "\n".join([*parts, "import time", "time.sleep(600)"])


def test_the_notebook_starts_a_space_and_asks_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with started("-u", "-c", code(), env={"PIP_NO_INDEX": "1"}, log=log, path="/healthz") as server:
        for _ in range(600):
            if "it says:" in log.read_text("utf-8") or "Traceback" in log.read_text("utf-8"):
                break
            time.sleep(0.1)
        said = log.read_text("utf-8")
    assert f"Chat · Generative-AI playgrounds is at {server.url}" in said
    assert said.partition("it says:")[2].strip(), said


def test_the_first_cell_has_five_lines_and_the_file_holds_no_output() -> None:
    first, *others = [cell for cell in CELLS if cell["cell_type"] == "code"]
    assert len("".join(first["source"]).split("\n")) - "".join(first["source"]).count("\n\n") == 5
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in (first, *others))


def test_a_torch_that_is_here_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colab's fits its GPU: neither another version nor a CPU build may take its place."""
    wanted = notebook.needs("text2img")
    assert not [word for word in wanted if word.startswith(("torch==", "--extra", "https:"))]
    assert any(word.startswith("diffusers==") for word in wanted) and any("gradio[" in word for word in wanted)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setenv("PATH", "")
    assert [word for word in notebook.needs("text2img") if word.startswith(("torch==", "--extra"))]


def test_an_unknown_space_is_told() -> None:
    with pytest.raises(ValueError, match=r"There are: .*text2video"):
        notebook.launch("nonsense")
