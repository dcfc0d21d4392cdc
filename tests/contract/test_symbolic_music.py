"""The engine that writes music keeps the contract, shown on a tiny random model of the starter's class."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.catalog import Catalog, ModelSpec, Variant, load_catalog
from shared.engine import Engine
from shared.errors import BackendError, CorruptWeights, InvalidRequest, UnknownModel
from shared.events import Event, Final, Notes, Progress
from shared.music.language import words
from shared.music.novelty import together
from shared.music.piece import Piece
from shared.requests import MusicRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Mode, Task
from tests.support import contract
from tests.support.tiny_music import music_model
from tests.unit.test_music_beginning import WHOLE
from tests.unit.test_music_files import TRIPLETS
from tests.unit.test_music_language import CHORALE

JIG = MusicRequest(prompt="a fast jig in G", bars=4, seed=7)


def engine_for(data: Path, **folders: Path) -> Engine:
    specs = [
        ModelSpec(
            id=name, name=name, task=Task.TEXT_TO_AUDIO, license="none",
            variants=(Variant(backend="symbolic_music", repo_id=str(folder), device="cpu"),),
        )
        for name, folder in folders.items()
    ]  # fmt: skip
    return Engine(Catalog(specs), Settings(data_dir=data))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    top = tmp_path_factory.mktemp("music")
    return engine_for(top, tiny=music_model(top / "tiny"), short=music_model(top / "short", longest=48))


def run(engine: Engine, model: str = "tiny", **asked: Any) -> list[Event]:
    request = MusicRequest(**{"prompt": "a fast jig in G", "bars": 4, "seed": 7, **asked})
    return list(engine.generate(model, request))


def final(engine: Engine, model: str = "tiny", **asked: Any) -> Final:
    *_, last = run(engine, model, **asked)
    assert isinstance(last, Final)
    return last


def piece(engine: Engine, model: str = "tiny", **asked: Any) -> Piece:
    made = final(engine, model, **asked).output.piece
    assert isinstance(made, Piece)
    return made


def adds_up(made: Piece) -> None:
    """Bars follow each other without a gap, and are whole but at a part's edges; a voice sounds one note at a time."""
    for bar, after in pairwise(made.bars):
        assert after.start == bar.start + bar.length
        assert bar.length == made.metre.ticks or bar.pickup or after.part
    for voice in range(made.voices):
        notes = [note for note in made.notes if note.voice == voice]
        assert all(one.start + one.length <= other.start for one, other in pairwise(notes))
        assert all(note.start + note.length <= made.ticks and 20 < note.pitch < 108 for note in notes)


def test_it_ends_in_one_final_and_grows_bar_by_bar(tiny: Engine) -> None:
    events = run(tiny)
    (last,) = (event for event in events if isinstance(event, Final))
    assert events[-1] is last and last.output.finish_reason == "stop"
    grown = [event for event in events if isinstance(event, Notes)]
    assert [(event.bar, event.total) for event in grown] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [event.music.full_bars for event in grown] == [1, 2, 3, 4]
    assert grown[-1].music.bars == last.output.piece.bars
    steps = [(e.step, e.total) for e in events if isinstance(e, Progress) and e.message.startswith("Bar")]
    assert steps[-1] == (4, 4)
    receipt = last.receipt
    assert (receipt.backend, receipt.mode, receipt.device, receipt.seed) == ("symbolic_music", Mode.LOCAL, "cpu", 7)
    assert receipt.seed_kind == "exact" and receipt.noise_device == "cpu" and receipt.versions
    assert receipt.output_tokens and receipt.seconds.first_output
    assert receipt.extra["music"] == {
        **{"kind": "jig", "mode": "major", "metre": "6/8", "key": "G major", "tempo": 116.0, "bars": 4},
        "instrument": "whistle",
    }


def test_one_seed_is_one_piece(tiny: Engine) -> None:
    first = piece(tiny)
    assert piece(tiny) == first
    assert piece(tiny, seed=8) != first
    assert piece(tiny, temperature=0.0, seed=1) == piece(tiny, temperature=0.0, seed=2)
    assert piece(tiny, top_p=0.05) != first


@pytest.mark.parametrize(
    ("prompt", "kind", "metre", "voices", "bars"),
    [
        ("a reel in D", "reel", "2/2", 1, 16),
        ("a sad waltz in D minor, 5 bars", "air", "3/4", 1, 5),
        ("a chorale, 6 bars", "chorale", "4/4", 4, 6),
        ("slip jig, 1 bar", "slip_jig", "9/8", 1, 1),
        ("an air in 4/4, 33 bars", "air", "4/4", 1, 33),
        ("hornpipe at 60 bpm, 16 seconds", "hornpipe", "2/2", 1, 8),
    ],
)
def test_whatever_a_random_model_says_is_music_as_it_was_asked(
    tiny: Engine, prompt: str, kind: str, metre: str, voices: int, bars: int
) -> None:
    made = piece(tiny, prompt=prompt, bars=None)
    assert (made.kind, str(made.metre), made.voices, made.full_bars) == (kind, metre, voices, bars)
    adds_up(made)


def test_a_model_that_remembers_little_writes_on(tiny: Engine) -> None:
    made = piece(tiny, "short", bars=12)
    assert made.full_bars == 12
    adds_up(made)
    assert piece(tiny, "short", bars=12) == made


def test_length_in_the_request_goes_before_the_prompts(tiny: Engine) -> None:
    assert piece(tiny, prompt="a jig, 2 bars", bars=3).full_bars == 3
    assert piece(tiny, prompt="a jig, 2 bars", bars=None, duration=6.2).full_bars == 6
    cut = final(tiny, prompt="a jig", bars=70)
    assert cut.output.piece.full_bars == 64
    assert "1 to 64 bars" in cut.receipt.unhonoured["bars"] and "bars" not in cut.receipt.settings


def test_what_was_not_understood_or_not_followed_is_told(tiny: Engine) -> None:
    receipt = final(tiny, prompt="a jig in 3/4 for zombies, like a waltz of doom", bars=1).receipt
    assert receipt.extra["unread_words"] == ["zombies", "doom"]
    assert "6/8" in receipt.unhonoured["metre"]
    assert any("waltz" in line for line in receipt.extra["understood"])
    assert any("no key was named" in line for line in receipt.extra["assumed"])


def test_it_says_how_much_of_a_piece_is_in_a_known_tune(tiny: Engine, tmp_path: Path) -> None:
    made = piece(tiny, bars=8)
    folder = music_model(tmp_path / "told")
    np.save(folder / "known.npy", together([made]))
    copying = engine_for(tmp_path, told=folder)
    told = final(copying, "told", bars=8).receipt.extra["novelty"]
    assert told == {"new_runs_of_5": 0.0, "new_runs_of_8": 0.0, "longest_known_run": len(made.melody)}
    other = final(copying, "told", bars=8, seed=99).receipt.extra["novelty"]
    assert other["new_runs_of_8"] > 0.9 and other["longest_known_run"] < 8


def test_it_tells_what_else_it_thought_of_and_writes_the_same(tiny: Engine) -> None:
    events = run(tiny, prompt="a chorale", bars=3, top_logprobs=4)
    *_, last = events
    assert isinstance(last, Final)
    made, guesses = last.output.piece, last.output.guesses
    assert made == piece(tiny, prompt="a chorale", bars=3) and not final(tiny).output.guesses
    assert [g for e in events if isinstance(e, Notes) for g in e.guesses] == list(guesses)
    begun = {(note.voice, note.start, note.pitch) for note in made.notes}
    assert {(g.voice, g.start, g.did) for g in guesses if isinstance(g.did, int)} == begun
    for guess in guesses:
        shares = [share for _, share in guess.likely]
        assert len(shares) == 4 and shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 1.0001
        assert 0 < guess.probability <= 1 and all(
            isinstance(d, int) or d in ("hold", "rest", "stop") for d, _ in guess.likely
        )


def test_what_was_given_is_not_counted_as_copied(tmp_path: Path) -> None:
    folder = music_model(tmp_path / "told")
    np.save(folder / "known.npy", together([TRIPLETS]))
    copying = engine_for(tmp_path, told=folder)
    told = final(copying, "told", prompt="go on", bars=6, beginning=TRIPLETS).receipt.extra["novelty"]
    assert told["longest_known_run"] < len(TRIPLETS.melody)


@pytest.mark.parametrize("tune", [CHORALE, TRIPLETS, WHOLE], ids=["chorale", "triplets", "pick-up"])
def test_it_goes_on_from_a_tune(tiny: Engine, tune: Piece) -> None:
    last = final(tiny, prompt="go on", bars=7, beginning=tune, top_logprobs=2)
    made = last.output.piece
    assert (made.full_bars, made.key, made.metre, made.voices) == (7, tune.key, tune.metre, tune.voices)
    assert made.bars[: len(tune.bars)] == tune.bars
    begun = [(n.voice, n.start, n.pitch) for n in tune.notes]
    assert [(n.voice, n.start, n.pitch) for n in made.notes if n.start < tune.ticks] == begun
    assert all(guess.start >= tune.ticks for guess in last.output.guesses)
    assert last.receipt.extra["music"]["begun_bars"] == tune.full_bars
    adds_up(made)


def press_at(engine: Engine, model: str, request: MusicRequest, when: Any) -> Iterator[Event]:
    token = CancelToken()
    for event in engine.generate(model, request, cancel=token):
        if when(event):
            token.cancel()
        yield event


def test_stop_keeps_the_whole_bars(tiny: Engine) -> None:
    long = MusicRequest(prompt="chorale", bars=64, seed=3)
    *_, last = press_at(tiny, "tiny", long, lambda event: isinstance(event, Notes) and event.bar == 2)
    assert isinstance(last, Final) and last.output.finish_reason == "stopped"
    assert 2 <= last.output.piece.full_bars < 64
    assert last.receipt.extra["music"]["kind"] == "chorale"
    contract.no_lease_is_left(tiny)


def test_stop_before_the_first_bar_leaves_nothing(tiny: Engine) -> None:
    *_, last = press_at(tiny, "tiny", JIG, lambda event: isinstance(event, Progress))
    assert isinstance(last, Final) and last.output.finish_reason == "stopped"
    assert last.output.piece is None or last.output.piece.full_bars < 4


def test_closing_the_iterator_lets_the_lease_go(tiny: Engine) -> None:
    events = tiny.generate("tiny", MusicRequest(prompt="chorale", bars=64, seed=1))
    next(e for e in events if isinstance(e, Notes))
    threading.Thread(target=events.close).start()  # type: ignore[attr-defined]
    contract.no_lease_is_left(tiny)


def test_the_rest_of_the_contract(tiny: Engine) -> None:
    case = contract.Case(tiny, "tiny", JIG)
    contract.events_pickle(case)
    contract.closes_twice(case)
    contract.import_is_light("symbolic_music")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"prompt": "  "}, "prompt is empty"),
        ({"bars": 0}, "bars must be between"),
        ({"duration": 0.1}, "duration must be between"),
        ({"temperature": 3}, "temperature must be between"),
        ({"top_p": float("nan")}, "top_p must be between"),
        ({"top_logprobs": 0}, "top_logprobs must be between"),
    ],
)
def test_what_can_not_be_asked_is_refused(tiny: Engine, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        run(tiny, **asked)


def broken(folder: Path, how: str) -> None:
    weights = folder / "model.safetensors"
    if how == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif how == "pickle":
        weights.rename(folder / "pytorch_model.bin")
    elif how == "none":
        weights.unlink()
    elif how == "tokenizer":
        (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    elif how == "tunes":
        (folder / "known.npy").write_bytes(b"not an array")


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("cut", "cut short"),
        ("pickle", "pickle"),
        ("none", "no weights"),
        ("tokenizer", "no vocabulary"),
        ("tunes", "could not be loaded"),
    ],
)
def test_damaged_weights_are_told(tmp_path: Path, how: str, told: str) -> None:
    folder = music_model(tmp_path / "tiny")
    broken(folder, how)
    with pytest.raises(BackendError, match=told):
        run(engine_for(tmp_path, tiny=folder))


def test_a_model_of_another_language_and_a_missing_folder_are_told(tmp_path: Path) -> None:
    other = music_model(tmp_path / "other", vocabulary=(*words()[:-1], "yodel"))
    engine = engine_for(tmp_path, other=other, gone=tmp_path / "gone")
    with pytest.raises(CorruptWeights, match="another form of the music language"):
        run(engine, "other")
    with pytest.raises((BackendError, UnknownModel), match="no folder gone"):
        run(engine, "gone")


def test_the_starter_says_how_it_is_made_where_it_is_not_there(tmp_path: Path) -> None:
    spec = next(s for s in load_catalog().for_task(Task.TEXT_TO_AUDIO) if s.starter)
    assert spec.license and spec.variants[0].backend == "symbolic_music"
    copy = music_model(tmp_path / "weights" / "text2music")
    found = Engine(Catalog([spec]), Settings(data_dir=tmp_path, weights_dir=copy.parent))
    assert piece(found, spec.id, bars=1).full_bars == 1
