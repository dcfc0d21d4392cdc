"""What a finished clip goes through before anybody gets it: looked over, its receipt written in, signed last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from shared.image.finishing import blurred
from shared.media import content_credentials, moderation, nsfw
from shared.media.opening import to_part
from shared.media.safety import safety_of
from shared.outputs import VideoOutput
from shared.receipts import Receipt
from shared.requests import VideoRequest
from shared.settings import Settings
from shared.video.encoding import encode
from shared.video.filming import Filming
from shared.video.labelling import label
from shared.video.reading import frames, sampled

LOOKED_AT = 12  # frames of a clip
SENT = 2  # of these, to the provider's check


@dataclass(frozen=True)
class Finished:
    """The file as a person gets it. `words` explain a clip that is covered or couldn't be checked."""

    data: bytes
    media_type: str
    sidecar: bytes | None = None
    words: str = ""


def finish(output: VideoOutput, receipt: Receipt, request: VideoRequest, settings: Settings) -> Finished:
    """The finished clip. Raises `BackendError` where it can't be signed."""
    output, words = safe(output, settings, str(receipt.extra.get("unchecked", "")))
    labelled = label(output.video, output.media_type, receipt, request)
    data = labelled.data
    if content_credentials.signs(settings):
        data = content_credentials.sign(data, output.media_type, settings, edited=request.image is not None)
    return Finished(data, output.media_type, labelled.sidecar, words)


def safe(output: VideoOutput, settings: Settings, told: str = "") -> tuple[VideoOutput, str]:
    """The clip, covered where a check of some of its frames says so, and what there is to say about that.

    `told`: why the provider could not check its words; it is then not asked again.
    """
    if safety_of(settings) == "off":
        return output, told
    looked_at = sampled(output.video, LOOKED_AT)
    verdicts = [nsfw.check(frame, settings) for frame in looked_at]
    verdict = next((v for v in verdicts if v.covered), verdicts[0] if verdicts else nsfw.Verdict(False))
    finding = moderation.Finding()
    if not verdict.covered and not told:
        chosen = tuple(to_part(frame) for frame in looked_at[:: max(1, len(looked_at) // SENT)][:SENT])
        finding = moderation.look_over((), chosen, settings)
    words = " ".join(filter(None, (told, verdict.words, finding.words)))
    return (covered(output) if verdict.covered or finding.refused else output), words


def covered(output: VideoOutput) -> VideoOutput:
    """The clip with shapes gone and colours left."""
    video = encode((blurred(frame) for frame in frames(output.video)), output.fps or 8.0)
    return replace(output, video=video, media_type="video/mp4")


def previews_looked_over(clips: Iterator[Filming], settings: Settings) -> Iterator[Filming]:
    """The clips as they grow, covered from the first frame on that the check for nudity would cover.

    Closing this iterator closes `clips`.
    """
    cover, last = False, None
    with closing(clips):  # type: ignore[type-var]
        for clip in clips:
            if clip.frames and safety_of(settings) != "off" and clip.frames[-1] is not last:
                last = clip.frames[-1]
                cover = cover or nsfw.check(last, settings).covered
            yield replace(clip, frames=tuple(map(blurred, clip.frames))) if cover else clip
