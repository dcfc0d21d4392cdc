"""Judges the model by what it writes, beside what people wrote, and puts it where the playground looks for it."""

from __future__ import annotations

import json
import math
import random
import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import corpus
import numpy
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

from shared.backends.local.sampling import Sampler, Sampling
from shared.backends.symbolic.writer import Writer
from shared.music import features, novelty
from shared.music.brief import Brief, brief
from shared.music.draft import Draft, NotMusic
from shared.music.language import LEVELS, Vocabulary, header
from shared.music.piece import Key, Piece
from shared.music.wishes import Wish

HERE = Path(__file__).resolve().parent
WEIGHTS = HERE.parents[1] / "weights" / "text2music"
KINDS = {
    "reel": "2/2",
    "jig": "6/8",
    "slip_jig": "9/8",
    "hornpipe": "2/2",
    "strathspey": "4/4",
    "air": "3/4",
    "chorale": "4/4",
}
EACH, BARS = 16, 16  # pieces of each kind
TEMPERATURE, TOP_P = 0.9, 0.95
UNHELPED = 40  # pieces written without the grammar's help
LONG_RUN = 24  # notes: about three bars of a reel


def evaluate(folder: Path) -> None:
    """Write pieces, measure them, and put weights, soundfont, samples and card into `WEIGHTS`."""
    transformers.logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32).eval()
    vocabulary = Vocabulary.read(folder / "model" / "tokenizer.json")
    entries = corpus.load(folder)
    learned = novelty.together(entry.piece() for entry in entries if entry.learned)
    known = novelty.Known(learned)
    kept = [entry.piece() for entry in entries if not entry.learned]
    begun = time.monotonic()
    made = [_one(model, vocabulary, wanted, seed) for seed, wanted in enumerate(_briefs())]
    seconds = time.monotonic() - begun
    again = _one(model, vocabulary, next(iter(_briefs())), 0)
    figures = {
        "perplexity": round(_perplexity(model, vocabulary, entries), 2),
        "model": judged([(piece, wanted.key) for (piece, _), wanted in zip(made, _briefs(), strict=True)], known),
        "people": judged([(piece, piece.key) for piece in kept], known),
        **_followed(made, json.loads((folder / "bounds.json").read_text("utf-8"))),
        "valid_bars_unhelped": round(_unhelped(model, vocabulary), 3),
        "words_a_second": round(sum(words for _, words in made) / seconds),
        "same_seed_same_piece": again[0] == made[0][0],
    }
    _put(folder, model, learned, figures)
    print(json.dumps(figures, indent=2))


def _briefs() -> list[Brief]:
    """What is asked for: every kind, in keys and modes, as busy and as leaping, as is drawn."""
    draw = random.Random(1)
    wanted = []
    for kind in KINDS:
        for _ in range(EACH):
            mode = draw.choices(list(LEVELS["mode"]), (6, 1, 1, 3))[0]
            asked = {"kind": kind, "metre": KINDS[kind], "tonic": draw.randrange(12), "mode": mode}
            asked |= {name: draw.choice(LEVELS[name]) for name in ("density", "leaps")}
            wanted.append(brief(Wish(asked=asked), bars=BARS))
    return wanted


def _one(model: Any, vocabulary: Vocabulary, wanted: Brief, seed: int) -> tuple[Piece, int]:
    sampler = Sampler(Sampling(temperature=TEMPERATURE, top_p=TOP_P), seed)
    writer = Writer(model, vocabulary, wanted, sampler)
    for _ in writer.write():
        pass
    return writer.piece, writer.words


def judged(pieces: Sequence[tuple[Piece, Key]], known: novelty.Known) -> dict[str, Any]:
    """Each piece's figures, taken together. The key of each is the one that was asked for."""
    runs = [known.longest(piece) for piece, _ in pieces]
    heard = [(features.heard_key(piece.notes), key) for piece, key in pieces]
    minors = {"minor", "dorian"}
    return {
        "pieces": len(pieces),
        **{f"new_{notes}": _share(known.new(piece, notes) for piece, _ in pieces) for notes in (5, 8)},
        "longest_median": round(statistics.median(runs)),
        "longest_most": max(runs),
        "copies": sum(run >= LONG_RUN for run in runs),
        "key": _share(one.tonic == key.tonic and (one.mode in minors) == (key.mode in minors) for one, key in heard),
        "tonic": _share(one.tonic == key.tonic for one, key in heard),
        "ends": _share(_last(piece) % 12 == key.tonic for piece, key in pieces),
        "on_beat": _share(features.on_beat(piece) for piece, _ in pieces),
    }


def _last(piece: Piece) -> int:
    """The last note: of four voices, the bass's."""
    return max(piece.notes, key=lambda note: (note.start, note.voice)).pitch


def _share(values: Any) -> float:
    told = [float(value) for value in values if value is not None]
    return round(sum(told) / len(told), 3)


def _followed(made: list[tuple[Piece, int]], bounds: dict[str, Any]) -> dict[str, float]:
    """How often a piece is as busy, and leaps as much, as was asked."""
    return {
        name: _share(
            corpus.level(bounds, piece, name) == wanted.controls[name]
            for (piece, _), wanted in zip(made, _briefs(), strict=True)
            if piece.kind in bounds[name]
        )
        for name in corpus.MEASURES
    }


def _perplexity(model: Any, vocabulary: Vocabulary, entries: list[corpus.Entry]) -> float:
    total, count = 0.0, 0
    longest = model.config.max_position_embeddings
    for entry in (e for e in entries if not e.learned):
        ids = torch.tensor([vocabulary.encode(entry.words)[:longest]])
        head = len(header({})) - 1
        with torch.inference_mode():
            logits = model(ids[:, :-1]).logits[0, head:]
        losses = torch.nn.functional.cross_entropy(logits, ids[0, 1 + head :], reduction="sum")
        total, count = total + float(losses), count + ids.shape[1] - 1 - head
    return math.exp(total / count)


def _unhelped(model: Any, vocabulary: Vocabulary) -> float:
    """Of the bars of pieces that the model writes word by word alone, the share up to the first that is no music."""
    good = bad = 0
    for seed, wanted in enumerate(random.Random(2).sample(_briefs(), UNHELPED)):
        torch.manual_seed(seed)
        ids = torch.tensor([vocabulary.encode(header(wanted.controls))])
        out = model.generate(ids, do_sample=True, temperature=TEMPERATURE, top_p=TOP_P, top_k=0, max_length=700)
        draft = Draft(wanted.blank(), wanted.base)
        try:
            for number in out[0, ids.shape[1] :].tolist():
                draft.add(vocabulary.words[number])
                if draft.ended:
                    break
        except NotMusic:
            bad += 1
        good += draft.bars
    return good / (good + bad)


def _put(folder: Path, model: Any, learned: Any, figures: dict[str, Any]) -> None:
    """Everything that the playground needs."""
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    state = torch.load(folder / "state.pt", weights_only=True)
    told = {name: state[name] for name in ("steps", "rounds", "minutes")}
    model.to(torch.float16).save_pretrained(WEIGHTS, safe_serialization=True)
    AutoTokenizer.from_pretrained(folder / "model").save_pretrained(WEIGHTS)
    numpy.save(WEIGHTS / "known.npy", learned)
    shutil.copy(folder / "soundfont" / "sonivox.sf2", WEIGHTS / "sonivox.sf2")
    shutil.copy(folder / "soundfont" / "LICENSE", WEIGHTS / "sonivox-LICENSE")
    (WEIGHTS / "figures.json").write_text(json.dumps({**figures, **told}, indent=2) + "\n", "utf-8")
    (WEIGHTS / "README.md").write_text(card(folder, model, {**figures, **told}), "utf-8")


def card(folder: Path, model: Any, figures: dict[str, Any]) -> str:
    """The model card: the template with what was measured."""
    report = json.loads((folder / "report.json").read_text("utf-8"))
    shares = ("new_5", "new_8", "key", "tonic", "ends", "on_beat")
    ours, people = figures["model"], figures["people"]
    example = " ".join(next(e.words for e in corpus.load(folder) if "kind:jig" in e.words)[:34])
    return (HERE / "card.md").read_text("utf-8").format(
        parameters=round(sum(p.numel() for p in model.parameters()) / 1e6, 1),
        learned=f"{report['learned']:,}",
        kept=report["kept_back"],
        count=ours["pieces"],
        each=EACH,
        kinds=", ".join(kind.replace("_", " ") for kind in KINDS),
        bars=BARS,
        temperature=TEMPERATURE,
        top_p=TOP_P,
        perplexity=figures["perplexity"],
        **{name: f"{ours[name]:.0%}" for name in shares},
        **{f"people_{name}": f"{people[name]:.0%}" for name in shares},
        **{name: ours[name] for name in ("longest_median", "longest_most")},
        **{f"people_{name}": people[name] for name in ("longest_median", "longest_most")},
        long_run=LONG_RUN,
        copies=f"{ours['copies']} of {ours['pieces']}",
        density=f"{figures['density']:.0%}",
        leaps=f"{figures['leaps']:.0%}",
        valid=f"{figures['valid_bars_unhelped']:.1%}",
        words_a_second=figures["words_a_second"],
        same="yes" if figures["same_seed_same_piece"] else "no",
        steps=f"{figures['steps']:,}",
        rounds=figures["rounds"],
        minutes=round(figures["minutes"]),
        made_of=", ".join(f"{count} {kind.replace('_', ' ')}s" for kind, count in report["kinds"]),
        left_out=", ".join(f"{count} ({reason})" for reason, count in report["left_out"]),
        example=example,
    )  # fmt: skip
