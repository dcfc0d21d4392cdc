"""What a tune to go on from decides, before what a prompt wishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.errors import InvalidRequest
from shared.music.language import HIGHEST, LOWEST, base_for
from shared.music.piece import Key, Piece
from shared.music.wishes import Wish, table

MOST = 48  # bars that are gone on from


def as_begun(wish: Wish, beginning: Piece, unfollowed: dict[str, str]) -> Wish:
    """The wish with the tune's kind, key and metre; what it wished of these instead is told in `unfollowed`.

    Its tempo is the tune's where the prompt says nothing of pace. Raises `InvalidRequest` where the tune has no words.
    """
    _must_have_words(beginning)
    kind = _kind(wish, beginning)
    metre = str(beginning.metre)
    begun: dict[str, Any] = {
        **{"kind": kind, "metre": metre, "tonic": beginning.key.tonic, "mode": beginning.key.mode},
        **({} if wish.get("tempo") or wish.get("pace") else {"tempo": round(beginning.tempo)}),
    }
    for name, has in (("kind", table()["kind"][kind]["name"]), ("metre", metre)):
        if name in wish.asked and wish.asked[name] != begun[name]:
            unfollowed[name] = (
                f"The tune to go on from is in {metre}: it goes on as {_a(has) if name == 'kind' else has}."
            )
    asked = _key(wish.asked)
    if asked and asked != beginning.key:
        unfollowed["key"] = f"The tune to go on from is in {beginning.key}, not in {asked}."
    return replace(wish, asked={**wish.asked, **begun})


def _kind(wish: Wish, beginning: Piece) -> str:
    kinds, metre = table()["kind"], str(beginning.metre)
    if beginning.voices == 4:
        if metre not in kinds["chorale"]["metres"]:
            known = ", ".join(kinds["chorale"]["metres"])
            raise InvalidRequest(f"Four voices are gone on from in these metres only: {known}.")
        return "chorale"
    wished = wish.get("kind")
    if wished and wished != "chorale" and metre in kinds[wished]["metres"]:
        return str(wished)
    by_metre = table()["unsaid"]["metre"]
    if metre not in by_metre:
        raise InvalidRequest(f"No kind of tune is known here in {metre}. Known are {', '.join(by_metre)}.")
    return str(by_metre[metre])


def base_of(tune: Piece) -> int:
    """The MIDI pitch of the tonic that its pitches count from: the usual one, or an octave or two beside it.

    Raises `InvalidRequest` where from none of these there are words for all.
    """
    usual = base_for((note.pitch for note in tune.melody), tune.key.tonic)
    for base in (usual, usual - 12, usual + 12, usual - 24, usual + 24):
        if all(LOWEST <= note.pitch - base <= HIGHEST for note in tune.notes):
            return base
    raise InvalidRequest("The tune reaches over more than six octaves. Choose another, or keep other bars.")


def _must_have_words(beginning: Piece) -> None:
    if not 1 <= beginning.full_bars <= MOST:
        raise InvalidRequest(f"A tune can be gone on from after 1 to {MOST} bars; keep as many.")
    base_of(beginning)


def _key(asked: Mapping[str, Any]) -> Key | None:
    tonic = asked.get("tonic")
    return None if tonic is None else Key(tonic, asked.get("mode") or "major")


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
