"""What a person asks of a model. A field left None means "the model's own default".

Field names are those of `huggingface_hub.InferenceClient` and, where it has none, of transformers.
"""

from collections.abc import Mapping

from shared.requests.base import MOST_SEED, ClipPart, ImagePart, Request
from shared.requests.chat import ChatRequest, Message, Role
from shared.requests.image import LEADING, MOST_OUTPAINT, ImageRequest
from shared.requests.motion import MotionRequest
from shared.requests.recording import Recording
from shared.requests.solid import SolidRequest
from shared.requests.sound import AudioRequest, MusicRequest, SoundRequest, SpeechRequest
from shared.requests.video import Shot, VideoRequest
from shared.requests.voice import Consent, Reference

# What is asked, by the task of the model that is asked.
KINDS: Mapping[str, type[Request]] = {
    kind.TASK: kind
    for kind in (
        *(ChatRequest, ImageRequest, VideoRequest, SolidRequest, MotionRequest),
        *(SpeechRequest, MusicRequest, SoundRequest),
    )
}

__all__ = [
    "KINDS",
    "LEADING",
    "MOST_OUTPAINT",
    "MOST_SEED",
    "AudioRequest",
    "ChatRequest",
    "ClipPart",
    "Consent",
    "ImagePart",
    "ImageRequest",
    "Message",
    "MotionRequest",
    "MusicRequest",
    "Recording",
    "Reference",
    "Request",
    "Role",
    "Shot",
    "SolidRequest",
    "SoundRequest",
    "SpeechRequest",
    "VideoRequest",
]
