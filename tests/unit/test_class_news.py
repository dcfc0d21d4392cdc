"""Two hundred pages that wait for news of a class cost what one does, and are told nothing that isn't theirs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from shared.classroom.room import Room
from shared.settings import Settings
from shared.ui.classroom.answering import Lately, versioned


def test_all_who_wait_share_a_look() -> None:
    looks = []

    def look() -> int:
        looks.append(1)
        return len(looks)

    async def waiting() -> tuple[list[int], list[int]]:
        lately = Lately(look)
        return await asyncio.gather(*(lately.get() for _ in range(200))), [await lately.get() for _ in range(50)]

    together, after = asyncio.run(waiting())
    assert together == [1] * 200 and after == [1] * 50 and len(looks) == 1


def test_a_page_that_knows_nothing_yet_is_told_what_is_true_now() -> None:
    found = ["before"]
    lately = Lately(lambda: found[0])

    async def looks() -> list[str]:
        first = await lately.get()
        found[0] = "after"
        return [first, await lately.get(), await lately.get(anew=True), await lately.get()]

    assert asyncio.run(looks()) == ["before", "before", "after", "after"]


def test_that_others_come_is_no_news_to_somebody_but_what_is_theirs_is(tmp_path: Path) -> None:
    room = Room(Settings(data_dir=tmp_path))
    ada = room.person(room.join(room.facts.code, "Ada"))
    assert ada is not None
    before = room.seen
    room.join(room.facts.code, "Bob")
    assert room.seen.version_for(ada.id) == before.version_for(ada.id)
    assert len(room.seen.people) == 2
    room.mark(ada.id, muted=True)
    muted = room.seen
    assert muted.version_for(ada.id) != before.version_for(ada.id)
    room.set(paused=True)
    assert room.seen.version_for(ada.id) != muted.version_for(ada.id)


def test_a_version_differs_when_what_was_found_does() -> None:
    found = {"works": [1], "votes": {"b": 1, "a": 2}}
    look = versioned(lambda: dict(found))
    first = look()
    assert look() == first
    found["works"] = [2]
    assert look()[0] != first[0] and look()[1]["works"] == [2]
