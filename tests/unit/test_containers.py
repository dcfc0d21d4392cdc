"""What can be known of the container files without an engine: what they name exists, and nobody special runs it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from shared.settings import from_environment
from tests.support.server import ROOT
from tools import setting_up, torch_source

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
IGNORE = (ROOT / ".dockerignore").read_text("utf-8").splitlines()


def copied(stage: str) -> list[str]:
    """What a stage takes from the project."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", stage, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


BUILD, FINAL = DOCKERFILE.split("\nFROM ")[1:]


def test_all_that_is_copied_is_there_and_let_through() -> None:
    wanted = {*copied(BUILD), *copied(FINAL)}
    assert wanted == {line.removeprefix("!") for line in IGNORE if line.startswith("!")}
    assert all((ROOT / name).exists() for name in wanted)
    read = {setting_up.REQUIREMENTS, setting_up.DEV, setting_up.LOCK, setting_up.STARTERS}
    for stage in (BUILD, FINAL):  # set-up looks at them again at each start
        assert {path.name for path in read} <= set(copied(stage))


def test_set_up_begins_with_what_the_first_stage_has_by_then(tmp_path: Path) -> None:
    for name in copied(BUILD.partition("run.py setup")[0]):
        source = ROOT / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path / name)
    done = subprocess.run([sys.executable, "run.py", "setup", "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_image_runs_as_nobody_special_and_its_settings_are_ours() -> None:
    assert (
        re.search(r"^USER 1000$", FINAL, re.MULTILINE)
        and "/healthz" in FINAL
        and 'VOLUME ["/weights", "/data"]' in FINAL
    )
    env = dict(re.findall(r"^(?:ENV)?\s+([A-Z_]+)=(\S+)", FINAL, re.MULTILINE))
    settings = from_environment(env)
    assert (settings.host, settings.port, str(settings.data_dir)) == ("0.0.0.0", 7860, "/data")
    assert env["HF_HOME"] == "/weights" and env["GRADIO_TEMP_DIR"].startswith("/data/")


def test_the_image_reaches_a_postgresql_by_what_the_tests_reach_one_with() -> None:
    (pin,) = re.findall(
        r"^psycopg\[binary\]==.+$", (ROOT / "requirements-postgres.txt").read_text("utf-8"), re.MULTILINE
    )
    assert pin in (ROOT / "requirements-dev.txt").read_text("utf-8").splitlines()
    assert re.search(r"pip install -c requirements\.lock -r requirements-postgres\.txt$", BUILD, re.MULTILINE)
    locked = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    assert {pin.replace("[binary]", ""), pin.replace("[binary]", "-binary")} <= set(locked)


def test_torchs_build_can_be_told() -> None:
    """An image is made on a machine that says nothing about the one that runs it."""
    for told, cpu in (("cpu", True), ("cuda", False)):
        code = "from tools import torch_source; print(torch_source.wants_cpu_build())"
        env = {"PLAYGROUND_TORCH": told, "PATH": ""}
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.stdout.strip() == str(cpu), done.stderr
    assert torch_source.CPU_INDEX in (ROOT / "spaces" / "chat" / "requirements.txt").read_text("utf-8")


def test_what_an_image_may_have_besides_is_there_in_the_locked_versions() -> None:
    told = re.findall(r"^EXTRA='(.+)'", (ROOT / "docs" / "deploy.md").read_text("utf-8"), re.MULTILINE)
    words = [word for each in told for word in each.split()]
    lock = (ROOT / "requirements.lock").read_text("utf-8").lower()
    files = [word for word in words if word.endswith(".txt")]
    assert files and set(files) <= set(copied(BUILD))
    packages = [word.partition("[")[0] for word in words if word not in {"-r", *files}]
    assert packages and all(f"\n{package}==" in lock for package in packages)


def test_the_compose_files_are_of_one_piece() -> None:
    compose, cuda = (yaml.safe_load((ROOT / name).read_text("utf-8")) for name in ("compose.yaml", "compose.cuda.yaml"))
    playground, proxy = compose["services"]["playground"], compose["services"]["proxy"]
    assert set(cuda["services"]) == {"playground"}
    assert cuda["services"]["playground"]["build"]["args"] == {"ACCELERATOR": "cuda"}
    assert {volume.partition(":")[0] for volume in playground["volumes"]} == set(compose["volumes"])
    assert {volume.partition(":")[2] for volume in playground["volumes"]} == {"/weights", "/data"}
    config = (ROOT / proxy["volumes"][0].partition(":")[0]).read_text("utf-8")
    assert "server playground:7860;" in config and playground["expose"] == ["7860"]
    assert re.search(r"listen (\d+);", config)[1] == proxy["ports"][0].rpartition(":")[2]  # type: ignore[index]
    assert "ports" not in playground  # who comes, comes by the proxy
    draining = from_environment(playground["environment"] | {"SPACE": ""}).drain_seconds
    assert draining + 7 < float(playground["stop_grace_period"].removesuffix("s"))
    for service in (playground, proxy):
        assert service["read_only"] and service["cap_drop"] == ["ALL"]


def test_workflows_pin_what_they_run_and_hold_no_secret() -> None:
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = file.read_text("utf-8")
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {} and "secrets." not in text
        used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
        assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each) for each in used)
        asked = {name for job in workflow["jobs"].values() for name in job["permissions"]}
        assert asked == {"contents", "id-token"}
