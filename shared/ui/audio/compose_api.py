"""The `/compose` endpoint: music from words, as notes and as sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import gradio as gr

from shared.data_urls import data_url, file_in
from shared.engine import Engine
from shared.errors import BackendError, InferenceError, InvalidRequest
from shared.media.sound.files import kind_of
from shared.media.sound.labelling import label
from shared.music.beginning import begin
from shared.music.composed import Composition, compositions
from shared.music.finishing import measured, notes, played
from shared.music.piece import TICKS, Piece
from shared.requests import MusicRequest
from shared.ui.audio.compose_beginning import recording_in
from shared.ui.reading import read_mode, sound_in


def compose_of(engine: Engine) -> Callable[..., Iterator[dict[str, Any]]]:
    """The endpoint's function."""

    def compose(
        prompt: str,
        model: str = "tune-starter",
        mode: str = "",
        engine_variant: str = "",
        bars: int | None = None,
        duration: float | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        top_logprobs: int | None = None,
        beginning: str = "",
        beginning_bars: int = 4,
        file: str = "wav",
        negative_prompt: str = "",
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        recording: str = "",
        recording_use: str = "lead_in",
        owner_token: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Compose music. Yields the piece as it grows, bar by bar; the last holds sound, MIDI, MusicXML and receipt.

        Args:
            prompt: what it should be: a kind, key, metre, tempo, mood, length, instrument, as in "a slow waltz in D".
            model: a model id from /models.
            mode: "quantized", "local" or "hosted"; empty takes the model's first engine that can run.
            engine_variant: a `variant` from /models, where a model has several engines of a kind.
            bars: how many to write; left out, what the prompt says, else the model's own number.
            duration: how long in seconds, where bars are left out.
            temperature: 0 always takes the likeliest note; higher is more daring.
            top_p: choose among the likeliest that make up this share.
            seed: left out, one is drawn; the receipt names it.
            top_logprobs: 1 to 20: the likeliest notes at each place, in `guesses`.
            beginning: a tune to go on from: MusicXML as text, or a data URL of a MusicXML or MIDI file.
            beginning_bars: how many of its bars are kept; they count among the bars asked for.
            file: "wav", "flac", "mp3" or "ogg": what the sound comes as, a data URL; empty makes no sound.
            negative_prompt: what it should not be like, for engines that make sound by steps.
            num_inference_steps: how many of these.
            guidance_scale: how closely the words are followed, for engines that have it.
            recording: a sound that MusicGen starts from: a data URL of a WAV, FLAC, Ogg or MP3 file.
            recording_use: "lead_in" to go on from its end, "melody" to follow its tune.
            owner_token: from /jobs, where what a hosted engine makes is to be found again by it.
        """
        try:
            if file:
                kind_of(file)
            asked = MusicRequest(
                prompt=prompt,
                bars=bars,
                duration=duration,
                temperature=temperature,
                top_p=top_p,
                top_logprobs=top_logprobs,
                beginning=_tune(beginning, beginning_bars) if beginning else None,
                seed=seed,
                negative_prompt=negative_prompt or None,
                num_inference_steps=num_inference_steps,
                guidance_scale=guidance_scale,
                **(recording_in(sound_in(recording), recording_use) if recording else {}),
            )
            where: dict[str, Any] = {"mode": read_mode(mode), "variant": engine_variant or None}
            owner = engine.jobs.owners.owner(owner_token)
            events = engine.generate(model, asked, owner=owner, **where)
            for made in compositions(events):
                if made.error and made.music is None and made.sound is None:
                    raise made.error
                yield _plain(engine, made, asked, file)
        except InferenceError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return compose


def _tune(text: str, bars: int) -> Piece:
    """Raises `InvalidRequest`."""
    if not text.startswith("data:"):
        return begin(text.encode(), bars)
    try:
        data = file_in(text)
    except ValueError:
        raise InvalidRequest("The tune's data URL is no whole base64. Encode the file again.") from None
    return begin(data, bars)


def _plain(engine: Engine, made: Composition, asked: MusicRequest, kind: str) -> dict[str, Any]:
    receipt = measured(made) if made.receipt else None
    written = notes(made, receipt, asked) if receipt else {}
    audio, problem = None, str(made.error) if made.error else None
    if receipt and kind:
        try:
            heard, receipt = played(made, receipt, engine.settings)
            if heard is not None:
                audio = data_url(label(heard, kind, receipt, asked), kind_of(kind).media_type)
        except BackendError as error:  # the notes are there all the same
            problem = problem or str(error)
    return {
        "status": made.status,
        "bar": made.bar,
        "total": made.total,
        "piece": plain(made.music) if made.music else None,
        "instrument": made.instrument,
        "guesses": [asdict(guess) for guess in made.guesses] if made.done else [],
        "audio": audio,
        "midi": data_url(written["mid"], "audio/midi") if written else None,
        "musicxml": written["musicxml"].decode() if written else None,
        "finish_reason": made.finish_reason,
        "error": problem,
        "receipt": receipt.to_dict() if receipt else None,
    }


def plain(piece: Piece) -> dict[str, Any]:
    """The piece in JSON's types. Times in ticks, of which a quarter note has `ticks_a_quarter`; pitches as in MIDI."""
    return {
        **asdict(piece),
        "key": str(piece.key),
        "metre": str(piece.metre),
        "ticks_a_quarter": TICKS,
        "seconds": round(piece.seconds, 3),
    }
