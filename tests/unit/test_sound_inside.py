"""What a model had in hand, as pictures: signs against time, and a codec's tokens."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from shared.audio.picturing import FRAMES, TABLE, pictures
from shared.backends.speech.aligning import MOST, by_attention, by_durations, without_blanks, words_of
from shared.outputs import Alignment, AudioOutput, Codes, SoundInside
from shared.ui.audio.inside_panel import NOTHING, drawn


def test_durations_say_which_sign_sounds_when_and_words_take_their_times() -> None:
    signs = ["_", "a", "_", "b", "_", " ", "_", "c", "_"]
    found = by_durations(*without_blanks(signs, np.array([1.0, 1, 1, 2, 0, 1, 0, 3, 1])))
    assert found.signs == ("a", "b", " ", "c") and found.exact
    assert found.share.sum(1).tolist() == [3, 2, 1, 4] and found.share[:, 0].tolist() == [1, 0, 0, 0]
    words = words_of(found, "Ab, - c!", 1.0)
    assert [(w.text, w.start, w.end) for w in words] == [("Ab,", 0.0, 0.5), ("c!", 0.6, 1.0)]
    assert words_of(found, "one two three", 1.0) == (), "written and spoken otherwise: estimated instead"


def test_long_ones_are_put_together() -> None:
    import torch

    found = by_durations(["a", "b"], np.array([3000.0, 1000.0]))
    assert found.share.shape == (2, MOST) and found.share.sum(1) == pytest.approx([375, 125], abs=1)
    looked = by_attention(["a", "b", "c"], torch.full((2, 4, 1200, 3), 1 / 3))
    assert looked.share.shape[0] == 3 and looked.share.shape[1] <= MOST and not looked.exact


def test_pictures_name_their_rows_and_hold_no_markup_of_the_text() -> None:
    tokens = np.arange(4 * 900, dtype=np.int32).reshape(4, 900) % 64
    share = np.eye(3, dtype=np.float32)
    inside = SoundInside(
        start=1.0,
        end=3.0,
        codes=Codes(tokens=tokens, size=64),
        alignment=Alignment(signs=("<b>", " ", "é"), share=share, exact=False),
    )
    signs, books, numbers = pictures(inside)
    for svg in (signs, books):
        root = ET.fromstring(svg.partition("</svg>")[0] + "</svg>")
        assert root.attrib["role"] == "img" and root.attrib["aria-label"]
    assert "&lt;b&gt;" in signs and "<b>" not in signs and ">space<" in signs and "where the model looked" in signs
    assert "codebook 4" in books and "4 codebooks, 900 frames" in books
    assert f"{1 + 2 * FRAMES / 900:.2f} s" in books, "the axis ends where the drawing does"
    assert len(re.findall("<td>", numbers)) == 4 * TABLE and "one of 64" in numbers
    assert drawn(AudioOutput(pcm=b"", sample_rate=8000, inside=(inside,))).count("<svg") == 2
    assert NOTHING in drawn(AudioOutput(pcm=b"", sample_rate=8000))
