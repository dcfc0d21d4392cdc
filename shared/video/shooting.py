"""Makes a storyboard whose shots are jobs at a provider.

The board is a row of the store of jobs, and so are its shots, each written down before it is sent: after a reload or a
restart it is gone on with, and no shot is sent that is at the provider or was made.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from shared.comparing import at_once
from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest, UnknownJob
from shared.events import Event, Progress
from shared.image.gate import gated
from shared.jobs.contents import read_request, written_request
from shared.jobs.job import Job
from shared.media.opening import to_part
from shared.pacing import status_of
from shared.quoting import Quote, together
from shared.receipts import Receipt
from shared.requests import ImagePart, Shot, VideoRequest
from shared.settings import Settings
from shared.streaming import CancelToken, switch_for_one
from shared.tasks import Task
from shared.video.filming import Filming, filmings
from shared.video.finishing import finish, previews_looked_over
from shared.video.reading import frames
from shared.video.storyboard import Board, Film, film, measured

TASK = "storyboard"  # of the row; no engine has it, so that nothing else takes it for a job of its own
_NONE = Filming(status="Waiting")
_BUSY = "This is being made already, perhaps in another window of yours. Go on here when it is done."


@dataclass(frozen=True, kw_only=True)
class Shooting:
    """How far each shot is; at the end the film of those that came, and words where some didn't."""

    shots: Sequence[Filming]
    film: Film | None = None
    words: str = ""


class Storyboards:
    """The storyboards of a server."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._store = engine, engine.jobs.store
        self._lock = threading.Lock()

    def of(self, owner: str) -> list[Job]:
        """The owner's, the newest first."""
        return self._engine.jobs.of(owner, TASK)

    def find(self, board_id: str, owner: str) -> Job:
        """One of the owner's. Raises `UnknownJob`."""
        row = self._engine.jobs.find(board_id, owner) if owner else None
        if row is None or row.task != TASK:
            raise UnknownJob
        return row

    def quote(self, board: Board, settings: Settings, row: Job | None = None) -> Quote | None:
        """What the shots cost that are still to be sent, None where there are none.

        Raises `InvalidRequest` for one that can't be made: so it is known before the first is paid.
        """
        if row is not None and self.kept(row):
            return None
        left = [n for n in range(len(board.lines)) if row is None or _to_send(self._shot_of(row, n))]
        quotes = [self._engine.quote(board.model, board.request(n), settings=settings, **board.where) for n in left]
        return together(quotes, in_turn=board.chained) if quotes else None

    def open(self, board: Board, owner: str, quoted_usd: float | None, name: str = "") -> Job:
        """Write it down by that name, a new one where none is given. Raises where there is one by it: a button that was
        pressed twice begins nothing twice."""
        now = time.time()
        row = Job(
            id=name or new_name(),
            owner=owner,
            task=TASK,
            model="",
            name=board.model,
            variant=board.variant,
            provider="",
            created=now,
            updated=now,
            state="running",
            request=board.to_dict(),
            quoted_usd=quoted_usd,
            result={"shots": [""] * len(board.lines)},
        )
        self._add(row)
        return row

    def states(self, row: Job) -> list[str]:
        """That of each shot, "" for one that was never sent."""
        found = [self._shot_of(row, number) for number in range(len(_ids(row)))]
        return [shot.state if shot else "" for shot in found]

    def kept(self, row: Job) -> Film | None:
        """The film of one that is done."""
        data = self._store.read(row) if row.state == "done" else None
        if data is None:
            return None
        request = read_request(Task.TEXT_TO_VIDEO, row.result["film"])
        assert isinstance(request, VideoRequest)
        return Film(output=measured(data), receipt=Receipt.from_dict(row.receipt), request=request)

    def shoot(self, row: Job, settings: Settings, cancel: CancelToken) -> Iterator[Shooting]:
        """Make what is still to be made and wait for what is at the provider, then join what there is.

        What these shots cost must have been agreed to. `cancel`: a person's Stop calls them off; closing this iterator
        leaves them at the provider.
        """
        if (kept := self.kept(row)) is not None:
            yield Shooting(shots=(), film=kept)
            return
        board = Board.from_dict(row.request)
        yield from self._looked_over(board, row, settings, cancel)
        shots = yield from (self._chained if board.chained else self._together)(board, row, settings, cancel)
        yield self._ended(board, row, settings, shots)

    def _looked_over(self, board: Board, row: Job, settings: Settings, cancel: CancelToken) -> Iterator[Shooting]:
        """Have the words of all that is to be sent checked before the first is paid. Raises for what is refused."""
        left = [line for n, line in enumerate(board.lines) if _to_send(self._shot_of(row, n))]
        if not left:
            return
        later = tuple(Shot(start=n, prompt=line) for n, line in enumerate(left[1:], 1))
        with switch_for_one(cancel) as own:
            for event in gated(_none(), VideoRequest(prompt=left[0], shots=later), settings, own):
                status = status_of(event) if isinstance(event, Progress) else ""
                yield Shooting(shots=[Filming(status=status or _NONE.status) for _ in board.lines])

    def _together(
        self, board: Board, row: Job, settings: Settings, cancel: CancelToken
    ) -> Generator[Shooting, None, Sequence[Filming]]:
        shots: Sequence[Filming] = ()
        with ExitStack() as stack:
            tokens = [stack.enter_context(switch_for_one(cancel)) for _ in board.lines]
            runs = [
                partial(self._shot, board, row, number, settings, token, None) for number, token in enumerate(tokens)
            ]
            for shots in at_once(runs, _NONE):
                yield Shooting(shots=shots)
        return shots

    def _chained(
        self, board: Board, row: Job, settings: Settings, cancel: CancelToken
    ) -> Generator[Shooting, None, Sequence[Filming]]:
        shots, image = [_NONE for _ in board.lines], None
        for number in range(len(board.lines)):
            if cancel.cancelled:
                break
            with switch_for_one(cancel) as token:
                for shot in self._shot(board, row, number, settings, token, image):
                    shots[number] = shot
                    yield Shooting(shots=list(shots))
            output = shots[number].output
            if output is None or not output.video:
                break  # the next would have nothing to begin with
            image = to_part(list(frames(output.video))[-1])
        return shots

    def _shot(
        self,
        board: Board,
        row: Job,
        number: int,
        settings: Settings,
        cancel: CancelToken,
        image: ImagePart | None,
    ) -> Iterator[Filming]:
        """One shot as it grows: sent only where the provider can't have it. Its error stands in the last one."""
        try:
            shot = self._shot_of(self._store.get(row.id) or row, number)  # another window may have sent it
            if shot is not None and not _to_send(shot):
                if shot.state in ("sending", "unsure") or not (shot.upstream or shot.state == "done"):
                    raise InvalidRequest(shot.note or _BUSY)
                events = self._engine.resume(shot.id, owner=row.owner, settings=settings, cancel=cancel)
            else:
                request, claim = board.request(number, image), partial(self._claim, row.id, number)
                events = self._engine.generate(
                    board.model, request, settings=settings, cancel=cancel, owner=row.owner, opened=claim, **board.where
                )
                events = gated(events, request, settings, cancel)
            yield from previews_looked_over(filmings(events), settings)
        except InferenceError as error:
            yield Filming(error=error)

    def _claim(self, board_id: str, number: int, shot: Job) -> None:
        """Write down which job the shot is, before it is sent. Raises where another window was quicker."""
        with self._lock:
            row = self._store.get(board_id)
            if row is None:
                raise UnknownJob
            if not _to_send(self._shot_of(row, number)):
                raise InvalidRequest(_BUSY)
            ids = _ids(row)
            self._once(f"{board_id}.{number}.{ids[number] or 'first'}")
            ids[number] = shot.id
            self._store.change(row, result={**row.result, "shots": ids})

    def _once(self, name: str) -> None:
        """Take that name for this server, or raise: another server that shares the store may send the same shot now."""
        now = time.time()
        taken = Job(
            id=name, owner="", task=f"{TASK}-shot", model="", name="", variant="", provider="", created=now,
            updated=now, state="cancelled",
        )  # fmt: skip
        self._add(taken)

    def _add(self, row: Job) -> None:
        """Raises `InvalidRequest` where there is one by that name."""
        from sqlalchemy.exc import IntegrityError

        try:
            self._store.add(row)
        except IntegrityError:
            raise InvalidRequest(_BUSY) from None

    def _ended(self, board: Board, row: Job, settings: Settings, shots: Sequence[Filming]) -> Shooting:
        """Join what came, and write down what became of the whole."""
        came: list[tuple[str, bytes, Receipt]] = []
        for number, shot in enumerate(shots):
            if shot.output is not None and shot.output.video and shot.receipt is not None:
                finished = finish(shot.output, shot.receipt, board.request(number), settings)
                came.append((board.lines[number], finished.data, shot.receipt))
        made = film(board, came) if came else None
        missing = _missing(shots)
        with self._lock:
            row = self._store.get(row.id) or row
            if made is not None and not missing:
                name = self._store.write(row, made.output.video, ".mp4")
                result = {**row.result, "film": written_request(made.request)}
                receipt = made.receipt.to_dict()
                self._store.change(row, state="done", note="", file=name, receipt=receipt, result=result)
            else:
                self._store.change(row, note=missing)
        return Shooting(shots=shots, film=made, words=missing)

    def _shot_of(self, row: Job, number: int) -> Job | None:
        """The job that the shot is, as it stands now."""
        name = _ids(row)[number]
        return self._store.get(name) if name else None


def _none() -> Iterator[Event]:
    """No events."""
    yield from ()


def new_name() -> str:
    """A storyboard's, which can't be guessed."""
    return secrets.token_urlsafe(18)


def _ids(row: Job) -> list[str]:
    return list(row.result["shots"])


def _to_send(shot: Job | None) -> bool:
    """Whether it may be sent: the provider neither has it nor made it."""
    return shot is None or shot.state in ("failed", "cancelled")


def _missing(shots: Sequence[Filming]) -> str:
    """What became of the shots that didn't come, in words."""
    told = []
    for number, shot in enumerate(shots, 1):
        if shot.error is not None:
            told.append(f"Shot {number}: {shot.error}")
        elif shot.output is None or not shot.output.video:
            told.append(f"Shot {number} wasn't made.")
    came = len(shots) - len(told)
    kept = " The other is kept." if came == 1 else f" The {came} others are kept." if came else ""
    return f"{' '.join(told)}{kept} It can be gone on with below." if told else ""
