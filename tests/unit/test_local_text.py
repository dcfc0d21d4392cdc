"""Streamed text is the text: whole characters, spaces kept, thinking apart, nothing beyond a stop string."""

from __future__ import annotations

import random

import numpy as np
import pytest

from shared.backends.local.answer import Vocabulary
from shared.backends.local.sampling import Falling, Sampler, Sampling
from shared.backends.local.text import Decoder, StopWatch
from shared.backends.local.thinking import ThinkingSplitter
from shared.errors import BackendError
from tests.support import tiny_models

SAMPLES = [
    "Hello world, hello  again.",
    " leading and trailing ",
    "東京の空は青い。🦊🌙✨ and 👩‍👩‍👧‍👦!",
    "naïve café Ærøskøbing\n\n\tcode = [1, 2]\n",
    "The quick brown fox " * 30 + "🦊",
]


@pytest.mark.parametrize("kind", ["bytes", "spaces"])
@pytest.mark.parametrize("text", SAMPLES)
def test_pieces_join_to_the_whole_text(kind: str, text: str) -> None:
    reader = tiny_models.tokenizer(kind=kind)
    vocabulary = Vocabulary(reader)
    ids = reader(text, add_special_tokens=False)["input_ids"]
    decoder = Decoder(vocabulary.decode, vocabulary.skipped)
    pieces = [decoder.add(i) for i in ids]
    assert not any("�" in piece for piece in pieces)
    assert "".join(pieces) + decoder.flush() == vocabulary.decode(ids)
    assert len([p for p in pieces if p]) > 3 or len(ids) < 5  # it came as it was made, not at the end


@pytest.mark.parametrize("kind", ["bytes", "spaces"])
def test_a_continued_answer_keeps_the_space_before_it(kind: str) -> None:
    vocabulary = Vocabulary(reader := tiny_models.tokenizer(kind=kind))
    ids = reader("Once upon a time a small robot", add_special_tokens=False)["input_ids"]
    for begun in range(1, len(ids)):
        decoder = Decoder(vocabulary.decode, vocabulary.skipped, ids[:begun])
        rest = "".join(map(decoder.add, ids[begun:]))
        assert vocabulary.decode(ids[:begun]) + rest == "Once upon a time a small robot"


def test_a_character_that_never_ends_is_shown_in_the_end() -> None:
    reader = tiny_models.tokenizer()
    vocabulary = Vocabulary(reader)
    ids = reader("🧿", add_special_tokens=False)["input_ids"]
    decoder = Decoder(vocabulary.decode, vocabulary.skipped)
    assert "".join(map(decoder.add, ids[:-1])) == ""
    assert decoder.flush()


@pytest.mark.parametrize("kind", ["bytes", "spaces"])
def test_a_single_token_keeps_its_space(kind: str) -> None:
    reader = tiny_models.tokenizer(kind=kind)
    vocabulary = Vocabulary(reader)
    ids = reader("small robot learned", add_special_tokens=False)["input_ids"]
    assert "".join(map(vocabulary.piece, ids)).strip() == "small robot learned"


@pytest.mark.parametrize("seed", range(20))
def test_a_stop_string_is_found_however_the_text_is_cut(seed: int) -> None:
    text, stops = "one two STO three STOP four STOPPED END", ("STOP ", "END")
    watch, cut = StopWatch(stops), random.Random(seed)
    shown = "".join(watch.add(piece) for piece in _pieces(text, cut)) + watch.flush()
    assert shown == "one two STO three " and watch.stopped


def test_text_held_back_for_a_stop_string_comes_at_the_end() -> None:
    watch = StopWatch(("STOP",))
    assert watch.add("a ST") == "a " and watch.flush() == "ST" and not watch.stopped


def _pieces(text: str, cut: random.Random) -> list[str]:
    pieces = []
    while text:
        length = cut.randint(1, 5)
        pieces.append(text[:length])
        text = text[length:]
    return pieces


THOUGHT = [
    ("", "<think>\nhm, 1<2\n</think>\n\nYes.", "\nhm, 1<2\n", "Yes."),
    ("", "Yes, <think> is a tag.", "", "Yes, <think> is a tag."),
    ("", "  indented", "", "  indented"),
    ("<|im_start|>assistant\n<think>\n", "so</think>Yes.", "so", "Yes."),
    ("", "<think></think>Yes.", "", "Yes."),
    ("", "[THINK]so[/THINK]Yes.", "so", "Yes."),
    ("", "<|channel|>analysis<|message|>so<|end|><|start|>assistant<|channel|>final<|message|>Yes.", "so", "Yes."),
    ("", "<|channel|>final<|message|>Yes.", "", "Yes."),
    ("", "<think>it never ends </thi", "it never ends </thi", ""),
    ("", "<th", "", "<th"),
]


@pytest.mark.parametrize(("prompt", "said", "thinking", "answer"), THOUGHT)
@pytest.mark.parametrize("seed", range(10))
def test_thinking_is_taken_apart_however_the_text_is_cut(
    prompt: str, said: str, thinking: str, answer: str, seed: int
) -> None:
    splitter, cut = ThinkingSplitter(prompt), random.Random(seed)
    parts = [splitter.add(piece) for piece in _pieces(said, cut)] + [splitter.flush()]
    assert "".join(t for t, _ in parts) == thinking
    assert "".join(a for _, a in parts) == answer


def _drawn(sampling: Sampling, logits: list[float], count: int = 4000) -> np.ndarray:
    sampler = Sampler(sampling, 1)
    seen = [sampler.choose(np.array(logits, dtype=np.float32)).id for _ in range(count)]
    return np.bincount(seen, minlength=len(logits)) / count


def test_tokens_are_drawn_as_often_as_the_model_says() -> None:
    logits = list(np.log([0.5, 0.3, 0.15, 0.05]))
    assert _drawn(Sampling(temperature=1.0), logits) == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)


def test_top_k_and_top_p_leave_out_the_tail() -> None:
    logits = list(np.log([0.05, 0.5, 0.15, 0.3]))
    assert _drawn(Sampling(temperature=1.0, top_k=2), logits) == pytest.approx([0, 0.625, 0, 0.375], abs=0.03)
    assert _drawn(Sampling(temperature=1.0, top_p=0.7), logits) == pytest.approx([0, 0.625, 0, 0.375], abs=0.03)
    assert _drawn(Sampling(temperature=1.0, top_p=0.85), logits)[0] == 0


@pytest.mark.parametrize("spread", [0.0, 0.5, 3.0, 30.0])
def test_a_nucleus_is_that_of_all_weights_in_order(spread: float) -> None:
    noise = np.random.default_rng(4)
    logits = np.round(noise.normal(size=5000), 1) * spread  # rounded: many are alike
    weights = np.exp(logits - logits.max()).astype(np.float32)
    order = np.argsort(-weights, kind="stable")
    sums, falling = np.cumsum(weights[order], dtype=np.float64), Falling(weights)
    assert falling.total == pytest.approx(sums[-1])
    for share in noise.random(200):
        place = int(np.searchsorted(sums, share * sums[-1]))
        assert falling.at(share * falling.total) == (order[place], pytest.approx(sums[place]))
    assert falling.at(2 * falling.total, "right")[1] == pytest.approx(sums[-1]) and falling.at(0.0)[0] == order[0]


def test_temperature_flattens() -> None:
    logits = [2.0, 0.0]
    assert _drawn(Sampling(temperature=0.5), logits)[0] > _drawn(Sampling(temperature=2.0), logits)[0] + 0.1


def test_the_repetition_penalty_counts_the_prompt() -> None:
    logits = np.array([2.0, 1.5, -1.0], dtype=np.float32)
    assert Sampler(Sampling(), 1).choose(logits).id == 0
    assert Sampler(Sampling(repetition_penalty=1.5), 1, seen=[0]).choose(logits).id == 1


def test_log_probabilities_sum_to_one() -> None:
    choice = Sampler(Sampling(alternatives=3, temperature=1.7), 1).choose(np.array([1, 2, 3], dtype=np.float32))
    assert sum(np.exp(logprob) for _, logprob in choice.alternatives) == pytest.approx(1.0)
    assert dict(choice.alternatives)[choice.id] == choice.logprob


def test_numbers_that_are_none_are_told() -> None:
    with pytest.raises(BackendError, match="precision"):
        Sampler(Sampling(temperature=1.0), 1).choose(np.array([1.0, np.nan], dtype=np.float32))
