"""What a library says of a file reaches a visitor with the file's name, and without the way to it on the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.backends.local.failures import said, without_paths


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Error no file named a.json found in directory /srv/app/models/scheduler.",
            "a.json found in directory scheduler.",
        ),
        ("Can't load tokenizer for '/srv/my models/tiny'. Check it", "tokenizer for 'tiny'. Check it"),
        (r"No file C:\Users\Ann\models\x.gguf here", "No file x.gguf here"),
        (r"No file 'C:\\Users\\Ann Lee\\x.gguf'", "No file 'x.gguf'"),
        ("open(~ann/models/x.bin) failed", "open(x.bin) failed"),
        ("see file:///srv/app/x.html", "see x.html"),
        ("/srv/app/lib/x.py:12: bad", "x.py:12: bad"),
        ("looked in /srv/app/models/ for it", "looked in models for it"),
        ("a=/srv/a/b,/srv/c/d", "a=b,d"),
    ],
)
def test_a_path_is_told_by_its_last_name(text: str, shown: str) -> None:
    assert shown in without_paths(text)
    assert not any(way in without_paths(text) for way in ("srv", "Users", "Ann", "ann", "app"))


@pytest.mark.parametrize(
    "text",
    [
        "owner/name has no unet/config.json",
        "see https://example.com/a/b/c and http://127.0.0.1:8080/v1/models",
        "expected shape [32, 64] and/or 1/2 of it, 3 / 4, at ./here/x",
        "<class 'diffusers.schedulers.DDIM'>",
    ],
)
def test_what_is_no_path_stays(text: str) -> None:
    assert without_paths(text) == text


def test_a_folder_with_blanks_is_told_by_its_name_even_without_quotes() -> None:
    folder = Path("/srv/Ann Lee/my models/tiny")
    assert said(OSError(f"no weights in {folder}/unet at all."), folder) == "no weights in unet at all"
    assert said(OSError(f"no weights in {Path.home()}/x/unet.")) == "no weights in unet"


def test_only_the_first_line_is_told_and_an_error_without_words_by_its_kind() -> None:
    assert said(ValueError("one\ntwo")) == "one" and said(KeyError()) == "KeyError"
    assert len(said(ValueError("x" * 1000))) == 300
