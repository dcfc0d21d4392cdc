"""The house rules that a reader counts on, held by the code itself."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import ROOT

PRODUCT = ("shared", "spaces", "tools", "training", "benchmarks")
# What takes long to import, or opens connections: imported only when a model is loaded.
HEAVY = (
    *("torch", "transformers", "diffusers", "accelerate", "openvino", "optimum", "onnxruntime", "xllamacpp"),
    *("openai", "anthropic", "google.genai", "huggingface_hub", "httpx", "requests", "gradio", "PIL", "genai_prices"),
)
# Modules other than settings.py that may touch the environment, and why.
TOUCH_THE_ENVIRONMENT = {
    "shared/settings.py": "it reads all settings",
    "shared/surroundings.py": "what a process runs in is told by the environment only",
    "shared/backends/local/threads.py": "OpenMP is told how to wait by a variable only",
}
KEYS = re.compile(
    r"\b(sk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}|hf_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{40,}|AIza[A-Za-z0-9_-]{35}"
    r"|gh[pousr]_[A-Za-z0-9]{36}|AKIA[A-Z0-9]{16}|xox[abpr]-[A-Za-z0-9-]{20,})\b|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
MACHINE_PATHS = re.compile(r"(?<![\w.~/-])/(?:home|Users|root|work)/[a-z][\w.-]*", re.ASCII)


def tracked() -> list[Path]:
    """The files that belong to the project; without git, all that lie in its folders."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0 and done.stdout:
        return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]
    folders = [ROOT / name for name in (*PRODUCT, "tests", "docs")]
    return [ROOT / "run.py"] + [
        file for folder in folders for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"
    ]


FILES = tracked()
MODULES = [f for f in FILES if f.suffix == ".py"]
OURS = [f for f in MODULES if f.relative_to(ROOT).parts[0] in PRODUCT or f.name == "run.py"]


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def test_the_files_are_found() -> None:
    assert {"run.py", "shared/engine.py", "spaces/chat/app.py"} <= {name(f) for f in OURS}


def test_every_module_says_what_it_is_for() -> None:
    silent = [name(f) for f in MODULES if not (ast.get_docstring(tree(f)) or "").strip()]
    assert silent == []


def test_every_public_class_and_function_of_the_shared_layer_says_what_it_does() -> None:
    silent = [
        f"{name(file)}: {node.name}"
        for file in OURS
        if name(file).startswith("shared/")
        for node in tree(file).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_file_is_long() -> None:
    lengths = {name(f): len(f.read_text(encoding="utf-8").splitlines()) for f in OURS}
    assert {file: lines for file, lines in lengths.items() if lines > 300} == {}


def test_the_spaces_folder_hides_no_package() -> None:
    """Gradio imports the package `spaces`; a file here by that name would stand before it on the path."""
    assert not (ROOT / "spaces" / "__init__.py").exists()
    code = "import spaces; print(spaces.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "site-packages" in done.stdout


def import_everything(*prefixes: str) -> tuple[list[str], list[str]]:
    """Import the shared modules but those under the prefixes, in a new Python: what of HEAVY came, and their names."""
    dotted = [name(f).removesuffix(".py").removesuffix("/__init__").replace("/", ".") for f in OURS]
    wanted = [m for m in dotted if m.startswith("shared") and not m.startswith(prefixes)]
    code = (
        "import importlib, json, sys\n"
        f"for each in {wanted!r}: importlib.import_module(each)\n"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), wanted


def test_importing_the_shared_layer_loads_no_engine_and_no_screen() -> None:
    heavy, imported = import_everything("shared.ui")
    assert "shared.engine" in imported and "shared.backends.transformers_text" in imported
    assert heavy == []


def imports(file: Path) -> Iterator[str]:
    """Names of all modules that a file imports, anywhere in it."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_only_the_screens_know_gradio() -> None:
    knowing = {name(f) for f in OURS if any(m.split(".")[0] == "gradio" for m in imports(f))}
    assert knowing, "nobody imports gradio: this test looks in the wrong place"
    assert {f for f in knowing if not f.startswith(("shared/ui/", "spaces/", "benchmarks/"))} == set()


def test_no_space_knows_which_engine_runs() -> None:
    screens = [f for f in OURS if name(f).startswith(("spaces/", "shared/ui/"))]
    engines = {f"shared.backends.{f.stem}" for f in OURS if f.parent == ROOT / "shared" / "backends"}
    knowing = {(name(f), m) for f in screens for m in imports(f) if m in engines - {"shared.backends.base"}}
    assert {(file, m) for file, m in knowing if not m.endswith((".endpoints", ".__init__"))} == set()


def touches_the_environment(file: Path) -> bool:
    nodes = list(ast.walk(tree(file)))
    attributes = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    imported = {alias.name for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "os" for alias in n.names}
    return bool((attributes | imported) & {"environ", "environb", "getenv", "putenv"})


def test_only_the_settings_read_the_environment() -> None:
    touching = {name(f) for f in OURS if name(f).startswith(("shared/", "spaces/")) and touches_the_environment(f)}
    assert touching == set(TOUCH_THE_ENVIRONMENT)


def texts() -> Iterator[tuple[str, str]]:
    for file in FILES:
        try:
            yield name(file), file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_file_holds_a_key() -> None:
    assert [f for f, text in texts() if KEYS.search(text)] == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    found = {f: MACHINE_PATHS.findall(text) for f, text in texts()}
    assert {f: paths for f, paths in found.items() if paths} == {}


@pytest.mark.parametrize(
    "text",
    ["sk-" + "a1" * 20, "hf_" + "a1" * 16, "AIza" + "a" * 35, "-----BEGIN {}PRIVATE KEY-----"],
)
def test_a_key_would_be_seen(text: str) -> None:
    assert KEYS.search(f'key = "{text.format("RSA ")}"')


@pytest.mark.parametrize("text", ["open('/{}/ada/x')", "see /{}/ada/models", '"/{}/main"'])
@pytest.mark.parametrize("top", ["home", "Users", "root", "work"])
def test_a_machines_path_would_be_seen(text: str, top: str) -> None:
    assert MACHINE_PATHS.search(text.format(top))
