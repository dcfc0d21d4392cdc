"""What else the music model thought of while it wrote, and where it surprised itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

import gradio as gr

from shared.music.composed import Composition
from shared.music.piece import Guess, Piece
from shared.music.roll import name_of, roll
from shared.ui.audio import inside_panel

LIKELIEST = 8  # deeds that are told at each place
SHOWN = 5  # of the least expected notes
_DEEDS = {"hold": "holding on", "rest": "a rest", "stop": "the end of the part"}
EXPLAINED = (
    "Behind each note stands what the model thought likely in its place: the darker, the likelier. Pointing at one "
    "tells how likely. Temperature and top p choose among these, and grammar leaves only what makes whole bars."
)


class ComposeInside:
    """The part of the tab, folded away until it is wanted."""

    def __init__(self) -> None:
        with gr.Accordion("Look inside: what else it thought of", open=False, elem_id="compose-inside-box"):
            gr.HTML(f'<div class="pg-quiet">{EXPLAINED}</div>')
            self.shown = gr.HTML("", elem_id="compose-inside", elem_classes="pg-follows")


def drawn(made: Composition) -> str:
    """The roll with what might have been, and the notes that were least expected; as HTML."""
    if made.music is None:
        if made.sound is None or not made.sound.inside:
            return ""
        return f'<div class="pg-quiet">{inside_panel.EXPLAINED}</div>{inside_panel.drawn(made.sound)}'
    if not made.guesses:
        return '<div class="pg-quiet">This engine doesn\'t tell what it thought of.</div>' if made.done else ""
    told = "".join(f"<li>{line}</li>" for line in least_expected(made.music, made.guesses))
    bits = sum(surprise(guess) for guess in made.guesses) / len(made.guesses)
    picture = roll(made.music, made.total, made.guesses)
    mean = f'<span class="pg-m"><span>Surprise</span><b>{bits:.2f} bits a note</b></span>'
    return (
        f'<div class="pg-scroll pg-roll">{picture}</div><div class="pg-metrics">{mean}</div>'
        f'<ul class="pg-told pg-quiet">{told}</ul>'
    )


def surprise(guess: Guess) -> float:
    """How unexpected what was done was, in bits: 1 is a coin's."""
    return -math.log2(max(guess.probability, 1e-12))


def least_expected(music: Piece, guesses: Sequence[Guess]) -> Iterator[str]:
    """The notes that were least expected, in words."""
    for guess in sorted(guesses, key=surprise, reverse=True)[:SHOWN]:
        likely = [(_named(deed, music), share) for deed, share in guess.likely[:3] if deed != guess.did]
        others = ", ".join(f"{name} ({share:.0%})" for name, share in likely)
        bar = sum(bar.start <= guess.start and not bar.pickup for bar in music.bars)
        did = f"{_named(guess.did, music)}, which it gave {guess.probability:.1%}"
        yield escape(f"Bar {bar}: {did}, where {others} seemed likelier.")


def _named(deed: int | str, music: Piece) -> str:
    return name_of(deed, music.key) if isinstance(deed, int) else _DEEDS.get(deed, deed)
