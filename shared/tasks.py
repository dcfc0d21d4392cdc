"""The tasks a model can do, by the names the Hugging Face Hub gives them."""

from enum import StrEnum


class Task(StrEnum):
    """A Hub task name; also the stem of the catalogue file that lists the task's models."""

    CHAT = "conversational"
    TEXT_TO_IMAGE = "text-to-image"
    IMAGE_TO_IMAGE = "image-to-image"
    TEXT_TO_SPEECH = "text-to-speech"
    TEXT_TO_AUDIO = "text-to-audio"
    TEXT_TO_SOUND = "text-to-sound"  # our own: the Hub counts sound effects as text-to-audio, as it does music
    TEXT_TO_VIDEO = "text-to-video"
    TEXT_TO_3D = "text-to-3d"
    IMAGE_TO_3D = "image-to-3d"
    TEXT_TO_MOTION = "text-to-motion"  # our own: the Hub has no task for a skeleton that moves


class Mode(StrEnum):
    """Where and how a prompt is run: the three kinds of engine a person switches between."""

    LOCAL = "local"
    QUANTIZED = "quantized"
    HOSTED = "hosted"

    @property
    def label(self) -> str:
        """The words a person reads for this mode."""
        return _LABELS[self]


_LABELS = {
    Mode.LOCAL: "Full model here",
    Mode.QUANTIZED: "Quantized here",
    Mode.HOSTED: "Hosted API",
}
