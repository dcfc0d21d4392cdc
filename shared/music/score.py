"""Draws a piece as a score: Verovio engraves its MusicXML as SVG."""

from __future__ import annotations

import threading
from pathlib import Path

from shared.backends.base import require
from shared.errors import BackendError
from shared.music.musicxml import musicxml
from shared.music.piece import Piece

WIDTH = 2100  # of the page, in tenths of a millimetre of Verovio's own
_ONE_AT_A_TIME = threading.Lock()  # Verovio keeps its settings and its log for the whole process


def score(piece: Piece, instrument: str, width: int = WIDTH) -> str:
    """One SVG picture of the whole piece. Raises `MissingDependency` without Verovio, `BackendError` where it fails."""
    require("verovio")
    import verovio

    with _ONE_AT_A_TIME:
        verovio.enableLog(verovio.LOG_OFF)
        # Where its fonts lie, it keeps for each thread: the one that imported it knows, all others don't.
        verovio.setDefaultResourcePath(str(Path(verovio.__file__).parent / "data"))
        toolkit = verovio.toolkit()
        toolkit.setOptions(
            {
                **{"pageWidth": width, "pageHeight": 60_000, "adjustPageHeight": True, "scale": 40},
                **{"header": "none", "footer": "none", "svgViewBox": True, "svgRemoveXlink": True},
                **{"pageMarginTop": 40, "pageMarginBottom": 40, "pageMarginLeft": 40, "pageMarginRight": 40},
            }
        )
        if not toolkit.loadData(musicxml(piece, instrument)) or toolkit.getPageCount() < 1:
            raise BackendError("The score could not be drawn. The sound and the files are not concerned.")
        return str(toolkit.renderToSVG(1))
