"""The engines: backend name -> the class that runs it, imported only when it is used.

To add an engine, write one module with a class that has `check`, `capabilities` and `load` (see `base.py`),
and add its line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.backends.base import Backend


@dataclass(frozen=True)
class Entry:
    """Where a backend's class is, the name a person reads, and whether a provider runs it.

    `torch`: whether it is by torch that it reaches a GPU, if it does. `offloads`: whether it can move a model that is
    too large for a GPU there piece by piece.
    """

    path: str
    label: str
    hosted: bool = False
    torch: bool = True
    offloads: bool = False


BACKENDS: dict[str, Entry] = {
    "llama_cpp": Entry("shared.backends.llama_cpp:LlamaCpp", "llama.cpp", torch=False),
    "transformers": Entry("shared.backends.transformers_text:TransformersText", "transformers"),
    "openvino": Entry("shared.backends.openvino_text:OpenVinoText", "OpenVINO"),
    "diffusers": Entry("shared.backends.diffusers_image:DiffusersImage", "diffusers", offloads=True),
    "travel": Entry("shared.backends.travel_video:TravelVideo", "frame by frame"),
    "openvino_image": Entry("shared.backends.openvino_image:OpenVinoImage", "OpenVINO"),
    "hibari": Entry("shared.backends.hibari_speech:HibariSpeech", "hibari"),
    "symbolic_music": Entry("shared.backends.symbolic_music:SymbolicMusic", "transformers"),
    "diffusers_video": Entry("shared.backends.diffusers_video:DiffusersVideo", "diffusers", offloads=True),
    "diffusers_audio": Entry("shared.backends.diffusers_audio:DiffusersAudio", "diffusers", offloads=True),
    "musicgen": Entry("shared.backends.musicgen_music:MusicGen", "transformers"),
    "kokoro": Entry("shared.backends.kokoro_speech:KokoroSpeech", "Kokoro"),
    "transformers_speech": Entry("shared.backends.transformers_speech:TransformersSpeech", "transformers"),
    "shap_e": Entry("shared.backends.shap_e_solid:ShapESolid", "diffusers"),
    "triposr": Entry("shared.backends.triposr_solid:TripoSRSolid", "TripoSR"),
    "relief": Entry("shared.backends.relief_solid:ReliefSolid", "transformers"),
    "lift": Entry("shared.backends.lift_solid:LiftSolid", "Lift"),
    "motion_diffusion": Entry("shared.backends.motion_diffusion:MotionDiffusion", "Motion diffusion"),
    "fal_solid": Entry("shared.backends.fal_solid:FalSolid", "fal", hosted=True),
    "replicate_solid": Entry("shared.backends.replicate_solid:ReplicateSolid", "Replicate", hosted=True),
    "tripo_solid": Entry("shared.backends.tripo_solid:TripoSolid", "Tripo", hosted=True),
    "openai": Entry("shared.backends.openai_chat:OpenAIChat", "OpenAI", hosted=True),
    "anthropic": Entry("shared.backends.anthropic_chat:AnthropicChat", "Anthropic", hosted=True),
    "google": Entry("shared.backends.google_chat:GoogleChat", "Google", hosted=True),
    "huggingface": Entry("shared.backends.huggingface_chat:HuggingFaceChat", "Hugging Face", hosted=True),
    "openai_compatible": Entry(
        "shared.backends.openai_compatible:OpenAICompatible", "OpenAI-compatible server", hosted=True
    ),
    "openai_images": Entry("shared.backends.openai_images:OpenAIImages", "OpenAI", hosted=True),
    "google_images": Entry("shared.backends.google_images:GoogleImages", "Google", hosted=True),
    "huggingface_images": Entry("shared.backends.huggingface_images:HuggingFaceImages", "Hugging Face", hosted=True),
    "openai_compatible_images": Entry(
        "shared.backends.openai_compatible_images:OpenAICompatibleImages", "OpenAI-compatible server", hosted=True
    ),
    "openai_speech": Entry("shared.backends.openai_speech:OpenAISpeech", "OpenAI", hosted=True),
    "google_speech": Entry("shared.backends.google_speech:GoogleSpeech", "Google", hosted=True),
    "huggingface_speech": Entry("shared.backends.huggingface_speech:HuggingFaceSpeech", "Hugging Face", hosted=True),
    "openai_compatible_speech": Entry(
        "shared.backends.openai_compatible_speech:OpenAICompatibleSpeech", "OpenAI-compatible server", hosted=True
    ),
    "elevenlabs_sound": Entry("shared.backends.elevenlabs_sound:ElevenLabsSound", "ElevenLabs", hosted=True),
    "fal_sound": Entry("shared.backends.fal_sound:FalSound", "fal", hosted=True),
    "replicate_sound": Entry("shared.backends.replicate_sound:ReplicateSound", "Replicate", hosted=True),
    "google_music": Entry("shared.backends.google_music:GoogleMusic", "Google", hosted=True),
    "elevenlabs": Entry("shared.backends.elevenlabs_speech:ElevenLabsSpeech", "ElevenLabs", hosted=True),
    "google_video": Entry("shared.backends.google_video:GoogleVideo", "Google", hosted=True),
    "runway_video": Entry("shared.backends.runway_video:RunwayVideo", "Runway", hosted=True),
    "fal_video": Entry("shared.backends.fal_video:FalVideo", "fal", hosted=True),
    "replicate_video": Entry("shared.backends.replicate_video:ReplicateVideo", "Replicate", hosted=True),
    "huggingface_video": Entry("shared.backends.huggingface_video:HuggingFaceVideo", "Hugging Face", hosted=True),
    "openai_compatible_video": Entry(
        "shared.backends.openai_compatible_video:OpenAICompatibleVideo", "OpenAI-compatible server", hosted=True
    ),
    "a1111": Entry("shared.backends.a1111:A1111", "AUTOMATIC1111", hosted=True),
    "comfyui": Entry("shared.backends.comfyui:ComfyUI", "ComfyUI", hosted=True),
}


@cache
def get_backend(name: str) -> Backend:
    """The backend by that name: one instance for the whole process."""
    module, _, attribute = BACKENDS[name].path.partition(":")
    backend: Backend = getattr(import_module(module), attribute)()
    return backend
