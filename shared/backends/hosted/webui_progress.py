"""How far AUTOMATIC1111's web UI is, and how to stop it."""

from __future__ import annotations

from typing import Any

from shared.backends.hosted.image_model import ImageCall, ImagePiece
from shared.backends.hosted.pictures import decoded

_FULL = 100  # the server tells a share of the work; a person reads hundredths


class Progress:
    """One task's progress.

    Newer servers know each task by its name. Older ones only tell of whatever they draw now, which may be another
    person's: where others reach this server, no preview is taken from them, and nothing of theirs is stopped.
    """

    def __init__(self, call: ImageCall, root: str, task: str) -> None:
        self._call, self._root, self._task = call, root, task
        self._named = True  # whether the server knows tasks by name; found out by asking
        self._mine = False
        self._last = -1

    async def look(self) -> ImagePiece | None:
        """A step, and a preview where there is a new one."""
        if self._named:
            answer = await self._call.http.post(
                f"{self._root}/internal/progress", json={"id_task": self._task, "id_live_preview": self._last}
            )
            self._named = answer.status_code == 200
            if self._named:
                return self._by_name(answer.json())
        self._mine = not self._call.settings.public
        skip = "false" if self._mine else "true"
        answer = await self._call.http.get(f"{self._root}/sdapi/v1/progress", params={"skip_current_image": skip})
        body = answer.json()
        return self._piece(body.get("progress"), body.get("current_image"))

    async def stop(self) -> None:
        """Interrupt the work, if it is this task's."""
        if self._mine:
            await self._call.http.post(f"{self._root}/sdapi/v1/interrupt")

    def _by_name(self, body: dict[str, Any]) -> ImagePiece:
        self._mine = body.get("active") is True
        if not self._mine:
            return ImagePiece(progress=f"Waiting in {self._call.account.name}'s line")
        new = body.get("id_live_preview")
        picture = body.get("live_preview") if new != self._last else None
        self._last = new if isinstance(new, int) else -1
        return self._piece(body.get("progress"), picture)

    def _piece(self, share: Any, picture: Any) -> ImagePiece:
        step = round(float(share or 0) * _FULL)
        data = decoded(picture, self._call.account.name) if isinstance(picture, str) and picture else None
        return ImagePiece(progress=f"{self._call.account.name} draws", preview=data, step=step, total=_FULL)
