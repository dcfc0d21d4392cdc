"""How each family of speech models in transformers is asked: text in, samples out.

To add one: a function here, and its row in `FAMILIES` and `TAKES`, by the `model_type` of its configuration.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.audio.pcm import to_samples
from shared.audio.resampling import resampled
from shared.audio.voices import unknown
from shared.backends.local.codes import caught
from shared.backends.speech.aligning import by_attention, by_durations, durations, without_blanks
from shared.errors import InvalidRequest, MissingDependency
from shared.outputs import Alignment, Codes
from shared.requests import Reference, SpeechRequest


@dataclass(kw_only=True)
class Loaded:
    """A model on its device, what reads text for it, and (SpeechT5) what makes sound of its spectra.

    `speakers`: voices by name that came beside the model, each a vector as its network knows speakers.
    """

    model: Any
    reader: Any
    vocoder: Any = None
    speakers: Mapping[str, Any] = field(default_factory=dict)
    device: str
    dtype: str
    revision: str | None = None

    @property
    def kind(self) -> str:
        """transformers' name for its family."""
        return str(self.model.config.model_type)


@dataclass(frozen=True)
class Said:
    """An utterance's samples, and what else the model can tell of it."""

    samples: Any
    codes: Codes | None = None
    alignment: Alignment | None = None


@dataclass(frozen=True)
class Family:
    """`model` and `reader`: transformers' classes by name. `most`: characters at one go. `say`: speaks an utterance.

    `rate`: samples a second. `vocoder`: where to get one, where the model makes spectra alone.
    """

    model: str
    reader: str
    say: Callable[[Loaded, str, str | None, SpeechRequest], Said | None]
    rate: Callable[[Loaded], int]
    most: int
    vocoder: str = ""


def _vits(loaded: Loaded, text: str, voice: str | None, request: SpeechRequest) -> Said | None:
    """VITS and MMS (Kim et al. 2021, Pratap et al. 2023): all at once, so that nothing can be told before."""
    model, reader = loaded.model, loaded.reader
    for wish, module in (("phonemize", "phonemizer"), ("is_uroman", "uroman")):
        if getattr(reader, wish, False):
            _must_have(module)
    inputs = reader(text, return_tensors="pt").to(loaded.device)
    if not inputs["input_ids"].shape[-1] or not reader.decode(inputs["input_ids"][0]).strip():
        return None
    model.speaking_rate = model.config.speaking_rate * (request.speed or 1.0)
    with durations(model) as lasting:
        samples = model(**inputs, speaker_id=_number(voice, model.config.num_speakers)).waveform[0]
    signs = reader.convert_ids_to_tokens(inputs["input_ids"][0])
    frames = lasting.frames(model.speaking_rate)
    if getattr(reader, "add_blank", False):
        signs, frames = without_blanks(signs, frames)
    return Said(samples, alignment=by_durations(signs, frames))


def _must_have(module: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise MissingDependency(module, module)


def _number(voice: str | None, count: int) -> int | None:
    """The speaker of that number, the first for None; no number for a model that has one alone."""
    if count <= 1 and voice is not None:
        raise InvalidRequest("This model has one voice alone. Leave the voice and the speakers empty.")
    if voice is None:
        return 0 if count > 1 else None
    if not voice.strip().isdecimal() or int(voice) >= count:
        raise InvalidRequest(f"This model's voices are the numbers from 0 to {count - 1}; choose one of them.")
    return int(voice)


def _speecht5(loaded: Loaded, text: str, voice: str | None, request: SpeechRequest) -> Said:
    """SpeechT5 (Ao et al. 2022). Its voice is a vector of unit length: one that came with the model, or one drawn from
    the voice's name or else the seed."""
    import torch

    size = loaded.model.config.speaker_embedding_dim
    noise = torch.Generator("cpu").manual_seed((request.seed or 0) if voice is None else zlib.crc32(voice.encode()))
    vector = None if voice is None else loaded.speakers.get(voice)
    vector = torch.randn(size, generator=noise) if vector is None else vector
    speaker = torch.nn.functional.normalize(vector.reshape(1, size).float()).to(loaded.device)
    inputs = loaded.reader(text, return_tensors="pt").to(loaded.device)
    samples, looked = loaded.model.generate_speech(
        inputs["input_ids"], speaker, vocoder=loaded.vocoder, output_cross_attentions=True
    )
    return Said(samples, alignment=by_attention(loaded.reader.convert_ids_to_tokens(inputs["input_ids"][0]), looked))


def _bark(loaded: Loaded, text: str, voice: str | None, request: SpeechRequest) -> Said:
    """Bark (Suno 2023)."""
    reader = loaded.reader
    if voice is not None and voice not in reader.available_voice_presets:  # any other would be opened as a file
        known = list(reader.available_voice_presets)[:40]
        raise InvalidRequest(unknown(voice, known) if known else "This model brings no voices to choose from.")
    inputs = reader(text, voice_preset=voice, return_tensors="pt")
    inputs = {name: value.to(loaded.device) for name, value in inputs.items()}
    given = {} if request.temperature is None else {"semantic_temperature": max(request.temperature, 0.01)}
    model = loaded.model
    with caught(model, "codec_decode") as tokens:
        samples = model.generate(**inputs, do_sample=True, **given)[0]
    return Said(samples, tokens.codes(model.codec_model.config.codebook_size))


def _csm(loaded: Loaded, text: str, voice: str | None, request: SpeechRequest) -> Said:
    """CSM (Sesame 2025). Its speakers are numbers, each a voice that it makes up, or goes on with from a recording."""
    speaker = str(_number(voice or "0", 10))
    conversation = [{"role": speaker, "content": [{"type": "text", "text": text}]}]
    if request.reference is not None:
        heard = {"type": "audio", "audio": _recording(loaded, request.reference)}
        said = {"type": "text", "text": request.reference.text}
        conversation.insert(0, {"role": speaker, "content": [said, heard]})
    inputs = loaded.reader.apply_chat_template(conversation, tokenize=True, return_dict=True).to(loaded.device)
    most = math.ceil(_longest(text) * 12.5)
    model = loaded.model
    with caught(model.codec_model, "decode") as tokens:
        samples = model.generate(**inputs, output_audio=True, max_new_tokens=most, **_sampling(request))[0]
    return Said(samples, tokens.codes(model.codec_model.config.codebook_size))


def _dia(loaded: Loaded, text: str, voice: str | None, request: SpeechRequest) -> Said:
    """Dia (Nari Labs 2025). A text of its own may name the speakers itself, as [S1] and [S2].

    A recording is the beginning of what it says: its words go before the text, and its sound is cut off again.
    """
    said = text if text.startswith("[S") else f"[S{1 + (_number(voice or '0', 2) or 0)}] {text}"
    heard: dict[str, Any] = {}
    if request.reference is not None:
        said = f"[S1] {request.reference.text} {said}"
        rate = {"sampling_rate": _codec_rate(loaded)}
        heard = {"audio": [_recording(loaded, request.reference)], "audio_kwargs": rate}
    plain = {"padding": False}
    inputs = loaded.reader(text=[said], text_kwargs=plain, return_tensors="pt", **heard).to(loaded.device)
    given = _sampling(request) | ({} if request.guidance_scale is None else {"guidance_scale": request.guidance_scale})
    most = math.ceil(_longest(text) * 86)
    made = loaded.model.generate(**inputs, max_new_tokens=most, **given)
    before = loaded.reader.get_audio_prompt_len(inputs["decoder_attention_mask"]) if heard else None
    codec = loaded.reader.audio_tokenizer
    with caught(codec, "decode") as tokens:
        samples = loaded.reader.batch_decode(made, audio_prompt_len=before)[0]
    return Said(samples, tokens.codes(codec.config.codebook_size))


def _pocket(loaded: Loaded, text: str, voice: str | None, request: SpeechRequest) -> Said:
    """Pocket TTS (Kyutai 2026). Its sound is a row of vectors, not of tokens. It speaks as a recording does, or as it
    likes."""
    _number(voice, 1)
    content: list[dict[str, Any]] = [{"type": "text", "text": text}]
    if request.reference is not None:
        content.insert(0, {"type": "audio", "audio": _recording(loaded, request.reference)})
    conversation = [{"role": "user", "content": content}]
    inputs = loaded.reader.apply_chat_template(conversation, tokenize=True, return_dict=True, return_tensors="pt")
    made = loaded.model.generate(**inputs.to(loaded.device), return_dict_in_generate=False, **_sampling(request))
    return Said(loaded.reader.decode(made[0]))


def _vibevoice(loaded: Loaded, text: str, voice: str | None, request: SpeechRequest) -> Said | None:
    """VibeVoice (Microsoft 2025). A language model says when to go on, and a small diffusion makes each piece of sound,
    seven and a half a second. Its speakers are numbers; each speaks as a recording does, or as it likes."""
    speaker = str(_number(voice or "0", 4))
    content: list[dict[str, Any]] = [{"type": "text", "text": text}]
    if request.reference is not None:
        content.append({"type": "audio", "audio": _recording(loaded, request.reference)})
    conversation = [{"role": speaker, "content": content}]
    inputs = loaded.reader.apply_chat_template(conversation, tokenize=True, return_dict=True, return_tensors="pt")
    hears = loaded.reader.feature_extractor
    most = math.ceil(_longest(text) * hears.sampling_rate / hears.pad_to_multiple_of)
    given = {} if request.guidance_scale is None else {"guidance_scale": request.guidance_scale}
    samples = loaded.model.generate(
        **inputs.to(loaded.device), max_new_tokens=most, return_dict_in_generate=False, **given
    )[0]
    return None if samples is None else Said(samples.reshape(-1))


def _recording(loaded: Loaded, reference: Reference) -> Any:
    """The samples at the codec's rate."""
    return resampled(to_samples(reference.pcm), reference.sample_rate, _codec_rate(loaded))


def _sampling(request: SpeechRequest) -> dict[str, Any]:
    if request.temperature is None:
        return {}
    return {"do_sample": request.temperature > 0, "temperature": max(request.temperature, 0.01)}


def _longest(text: str) -> float:
    """Seconds that a slow voice takes for the text, and some: a model that never ends is ended there."""
    return 2.0 + len(text) / 8


def _config_rate(loaded: Loaded) -> int:
    return int(loaded.model.config.sampling_rate)


def _codec_rate(loaded: Loaded) -> int:
    codec = getattr(loaded.model.config, "codec_config", None)
    return int(getattr(codec, "sampling_rate", 0) or loaded.reader.feature_extractor.sampling_rate)


FAMILIES: Mapping[str, Family] = {
    "vits": Family("VitsModel", "AutoTokenizer", _vits, _config_rate, 400),
    "speecht5": Family(
        "SpeechT5ForTextToSpeech",
        "SpeechT5Tokenizer",
        _speecht5,
        lambda loaded: int(loaded.vocoder.config.sampling_rate),
        300,
        vocoder="microsoft/speecht5_hifigan",
    ),
    "bark": Family(
        "BarkModel", "AutoProcessor", _bark, lambda loaded: int(loaded.model.generation_config.sample_rate), 150
    ),
    "csm": Family("CsmForConditionalGeneration", "AutoProcessor", _csm, _codec_rate, 200),
    "dia": Family("DiaForConditionalGeneration", "AutoProcessor", _dia, _codec_rate, 300),
    "pocket_tts": Family("PocketTTSForConditionalGeneration", "AutoProcessor", _pocket, _codec_rate, 200),
    "vibevoice": Family("VibeVoiceForConditionalGeneration", "AutoProcessor", _vibevoice, _codec_rate, 600),
}
_ALL = frozenset({"seed", "voice", "speakers"})
# What each follows, known without importing anything.
TAKES: Mapping[str, frozenset[str]] = {
    "vits": _ALL | {"speed"},
    "speecht5": _ALL,
    "bark": _ALL | {"temperature"},
    "csm": _ALL | {"temperature", "reference"},
    "dia": _ALL | {"temperature", "guidance_scale", "reference"},
    "pocket_tts": frozenset({"seed", "temperature", "reference"}),
    "vibevoice": _ALL | {"guidance_scale", "reference"},
}
