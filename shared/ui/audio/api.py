"""The audio Space's API, for `gradio_client`, HTTP and MCP: speech and consent to it, music, sounds, places, models."""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
from gradio.events import api

from shared.audio import quality as dnsmos
from shared.audio.cloning.clip import LONGEST, SHORTEST
from shared.audio.cloning.consent import TYPED, checker, reference_of, sentence, today
from shared.audio.finishing import Finished, finish
from shared.audio.listening.rows import check, get
from shared.audio.space.placing import course_of, place_file
from shared.audio.spoken import Spoken, speeches
from shared.data_urls import data_url
from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.events import Final
from shared.media.sound.files import kind_of
from shared.operation import beside
from shared.requests import Request, SpeechRequest
from shared.settings import Settings
from shared.streaming import Emitter
from shared.tasks import Task
from shared.ui.audio.compose_api import compose_of
from shared.ui.audio.listening import can_be_heard, facts, hearing, rating
from shared.ui.audio.sound_api import plain, sound_of
from shared.ui.jobs_api import job_of, jobs_of
from shared.ui.models_api import models_of
from shared.ui.reading import read_mode, sound_in


def endpoints(engine: Engine) -> None:
    """Add the endpoints to the Blocks being built."""
    api(_speak(engine), api_name="speak", concurrency_limit=None)
    api(compose_of(engine), api_name="compose", concurrency_limit=None)
    api(sound_of(engine), api_name="sound", concurrency_limit=None)
    api(consent, api_name="consent", concurrency_limit=None)
    api(place, api_name="place", concurrency_limit=2)
    api(models_of(engine, Task.TEXT_TO_SPEECH, Task.TEXT_TO_AUDIO, Task.TEXT_TO_SOUND), api_name="models")
    kept = (Task.TEXT_TO_AUDIO, Task.TEXT_TO_SOUND)
    api(jobs_of(engine, *kept), api_name="jobs")
    api(job_of(engine, _of_job, *kept), api_name="job")


def _speak(engine: Engine) -> Callable[..., Iterator[dict[str, Any]]]:
    def speak(
        text: str,
        model: str = "hibari",
        mode: str = "",
        engine_variant: str = "",
        voice: str = "",
        speed: float | None = None,
        language: str = "",
        instructions: str = "",
        speakers: dict[str, str] | None = None,
        temperature: float | None = None,
        guidance_scale: float | None = None,
        seed: int | None = None,
        file: str = "wav",
        listener: str = "",
        rate: bool = False,
        recording: str = "",
        confirmed: str = "",
        owner_token: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Say a text aloud. Yields pieces of sound as they are made; the last holds the whole file and the receipt.

        Args:
            text: what to say.
            model: a model id from /models.
            mode: "quantized", "local" or "hosted"; empty takes the model's first engine that can run.
            engine_variant: a `variant` from /models, where a model has several engines of a kind.
            voice: the engine's name for a voice; left out, its usual one, as for all settings below.
            speed: 1 is the voice's own pace, 2 twice as fast.
            language: a tag such as "en" or "pt-BR", for models that must be told.
            instructions: how to speak, in words, for engines that read them.
            speakers: for a script whose lines begin with names: each name's voice, as in {"Ann": "heart"}.
            temperature: how lively, for engines that have it.
            guidance_scale: how closely the text is followed, for engines that have it.
            seed: left out, one is drawn; the receipt names it.
            file: "wav", "flac", "mp3" or "ogg": what the whole comes as, a data URL.
            listener: who hears it back and counts the words that differ, such as "whisper-tiny.en"; empty: nobody.
            rate: whether DNSMOS guesses how people would score it; the receipt's `extra` then has the scores.
            recording: a voice to imitate, for models that can: a data URL of its person reading what /consent tells.
            confirmed: what /consent tells to confirm in writing, where it does.
            owner_token: from /history, which lists the runs that were begun with it.
        """
        try:
            kind_of(file)
            if listener:
                check(get(listener))
            if rate:
                dnsmos.check()
            request = SpeechRequest(
                text=text,
                voice=voice or None,
                speed=speed,
                language=language or None,
                instructions=instructions or None,
                speakers=_pairs(speakers),
                temperature=temperature,
                guidance_scale=guidance_scale,
                seed=seed,
                reference=reference_of(sound_in(recording), confirmed, engine.settings, _deaf()) if recording else None,
            )
            where: dict[str, Any] = {"mode": read_mode(mode), "variant": engine_variant or None}
            owner = engine.jobs.owners.owner(owner_token)
            events = engine.generate(model, request, owner=owner, **where)
            for spoken in speeches(events):
                if spoken.error and not (spoken.sound and spoken.sound.pcm):
                    raise spoken.error
                heard = None
                if listener and spoken.receipt:
                    spoken, heard = yield from _heard(spoken, request, listener, engine.settings)
                if rate and can_be_heard(spoken):
                    spoken = yield from _rated(spoken, request, engine.settings)
                yield _plain(spoken, request, file, heard)
        except InferenceError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return speak


def consent() -> dict[str, Any]:
    """What the person whose voice is to be imitated reads aloud in the `recording` of /speak.

    `confirm`: what is sent as `confirmed` instead of being heard; empty where a listener checks the recording.
    """
    listener = checker()
    return {
        "sentence": sentence(today()),
        "seconds": [SHORTEST, LONGEST],
        "checked_by": listener.name if listener else None,
        "confirm": "" if listener else TYPED,
    }


def _deaf() -> Emitter:
    return Emitter(lambda event: None)


def place(
    sound: str, way: str = "binaural", move: str = "", places: list[list[float]] | None = None, file: str = "wav"
) -> dict[str, Any]:
    """Put a sound somewhere around a listener, or move it. Returns the file, a data URL, and what its channels are.

    Args:
        sound: a data URL of a WAV, FLAC, Ogg or MP3 file, at most 180 seconds long; several channels are mixed to one.
        way: "binaural" for headphones, "stereo" for two loudspeakers, "ambisonics" for AmbiX of first order.
        move: "circle", "left_to_right", "overhead", "approach" or "spiral"; left out, `places` say where.
        places: [azimuth, elevation, distance] in equal times: degrees (90 is left, 90 is above), metres.
        file: "wav" or "flac".
    """
    try:
        course = course_of(move, places or [[0, 0, 1]])
        with beside.in_turn():
            made = place_file(sound_in(sound), course, way, file)
    except InferenceError as error:
        raise gr.Error(str(error), print_exception=False) from None
    return {
        "audio": data_url(made.data, made.kind.media_type),
        "channels": list(made.channels),
        "seconds": round(made.seconds, 3),
        "note": made.words,
    }


def _of_job(final: Final, request: Request) -> dict[str, Any]:
    return plain(Spoken(sound=final.output, receipt=final.receipt), request, "wav")


def _pairs(speakers: Any) -> tuple[tuple[str, str], ...]:
    """Names and voices, whatever was sent. Raises `InvalidRequest`."""
    if not speakers:
        return ()
    if not isinstance(speakers, dict) or not all(isinstance(voice, str) for voice in speakers.values()):
        raise InvalidRequest('speakers must be an object of names and voices, for example {"Ann": "heart"}.')
    return tuple((str(name), voice) for name, voice in speakers.items())


def _heard(
    spoken: Spoken, request: SpeechRequest, listener: str, settings: Settings
) -> Generator[dict[str, Any], None, tuple[Spoken, dict[str, Any] | None]]:
    """Have the finished speech heard back; its receipt then says how well, and what was heard comes with it."""
    if not can_be_heard(spoken):
        return spoken, None
    assert spoken.receipt is not None
    steps = hearing(spoken, request, listener, settings)
    try:
        while True:
            yield _plain(Spoken(seconds=spoken.seconds, status=next(steps)), request, "wav")
    except StopIteration as ended:
        extra = {**spoken.receipt.extra, **ended.value.facts()}
        return replace(spoken, receipt=replace(spoken.receipt, extra=extra)), facts(ended.value)
    except InferenceError as error:
        return spoken, {"error": str(error)}
    finally:
        steps.close()


def _rated(spoken: Spoken, request: SpeechRequest, settings: Settings) -> Generator[dict[str, Any], None, Spoken]:
    """Have the finished speech rated; its receipt then says how."""
    assert spoken.receipt is not None
    steps = rating(spoken, settings)
    try:
        while True:
            yield _plain(Spoken(seconds=spoken.seconds, status=next(steps)), request, "wav")
    except StopIteration as ended:
        extra = {**spoken.receipt.extra, **ended.value.facts()}
        return replace(spoken, receipt=replace(spoken.receipt, extra=extra))
    finally:
        steps.close()


def _plain(spoken: Spoken, request: SpeechRequest, kind: str, heard: dict[str, Any] | None = None) -> dict[str, Any]:
    finished: Finished | None = None
    if spoken.receipt and spoken.sound and spoken.sound.pcm:
        finished = finish(spoken.sound, spoken.receipt, request, kind)
    receipt = finished.receipt if finished else spoken.receipt
    first = spoken.fresh[0] if spoken.fresh else None
    words = spoken.sound.words if spoken.sound else ()
    return {
        "chunk": base64.b64encode(b"".join(chunk.pcm for chunk in spoken.fresh)).decode(),
        "start": first.start if first else None,
        "sample_rate": first.sample_rate if first else None,
        "seconds": round(spoken.seconds, 3),
        "status": spoken.status,
        "audio": data_url(finished.data, finished.kind.media_type) if finished else None,
        "words": [{"text": w.text, "start": w.start, "end": w.end, "speaker": w.speaker} for w in words],
        "word_times": receipt.extra.get("word_times") if receipt else None,
        "srt": finished.srt if finished else None,
        "finish_reason": spoken.finish_reason,
        "error": str(spoken.error) if spoken.error else None,
        "heard": heard,
        "receipt": receipt.to_dict() if receipt else None,
    }
