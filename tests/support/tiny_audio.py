"""Tiny random models that make music and sounds, of real classes, saved as a person would find them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.tiny_pipelines import t5, t5_tokenizer

RATE = 4000  # samples a second of what they make


def stable_audio(folder: Path) -> Path:
    """Stable Audio: two channels, eight samples a latent, at most two seconds."""
    from diffusers import (
        AutoencoderOobleck,
        EDMDPMSolverMultistepScheduler,
        StableAudioDiTModel,
        StableAudioPipeline,
        StableAudioProjectionModel,
    )

    reader = t5_tokenizer()
    reader.model_max_length = 32
    pipe = StableAudioPipeline(
        transformer=StableAudioDiTModel(
            sample_size=RATE // 4, in_channels=4, num_layers=2, attention_head_dim=8, num_attention_heads=4,
            num_key_value_attention_heads=2, out_channels=4, cross_attention_dim=16, time_proj_dim=8,
            global_states_input_dim=32, cross_attention_input_dim=16,
        ),
        scheduler=EDMDPMSolverMultistepScheduler(
            solver_order=2, prediction_type="v_prediction", sigma_data=1.0, sigma_schedule="exponential",
        ),
        vae=AutoencoderOobleck(
            encoder_hidden_size=8, downsampling_ratios=[2, 4], decoder_channels=8, decoder_input_channels=4,
            audio_channels=2, channel_multiples=[1, 2], sampling_rate=RATE,
        ),
        text_encoder=t5(reader), tokenizer=reader,
        projection_model=StableAudioProjectionModel(
            text_encoder_dim=32, conditioning_dim=16, min_value=0, max_value=32
        ),
    )  # fmt: skip
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


def musicgen(folder: Path) -> Path:
    """MusicGen: one channel, fifty frames a second."""
    from transformers import (
        EncodecFeatureExtractor,
        MusicgenConfig,
        MusicgenForConditionalGeneration,
        MusicgenProcessor,
    )
    from transformers.models.musicgen import MusicgenDecoderConfig

    reader = t5_tokenizer()
    words, sound, size = _parts(len(reader))
    config = MusicgenConfig(text_encoder=words, audio_encoder=sound, decoder=MusicgenDecoderConfig(**size).to_dict())
    _saved(MusicgenForConditionalGeneration(config), folder)
    MusicgenProcessor(EncodecFeatureExtractor(sampling_rate=RATE), reader).save_pretrained(folder)
    return folder


def musicgen_melody(folder: Path) -> Path:
    """The kind that follows a tune."""
    from transformers import MusicgenMelodyConfig, MusicgenMelodyForConditionalGeneration
    from transformers.models.musicgen_melody import MusicgenMelodyDecoderConfig

    reader = t5_tokenizer()
    words, sound, size = _parts(len(reader))
    config = MusicgenMelodyConfig(
        text_encoder=words, audio_encoder=sound, decoder=MusicgenMelodyDecoderConfig(**size).to_dict(),
        num_chroma=12, chroma_length=6,
    )  # fmt: skip
    _saved(MusicgenMelodyForConditionalGeneration(config), folder)
    reader.save_pretrained(folder)
    return folder


def _parts(words: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What reads, what sounds, and the size of what writes."""
    from transformers import EncodecConfig, EncodecModel, T5Config

    codec: dict[str, Any] = {"hidden_size": 16, "num_filters": 4, "codebook_size": 32, "codebook_dim": 16}
    sound = EncodecConfig(
        **codec, target_bandwidths=[1.0], sampling_rate=RATE, audio_channels=1, upsampling_ratios=[5, 4, 4],
        num_residual_layers=1, num_lstm_layers=1, use_causal_conv=False, norm_type="weight_norm",
    )  # fmt: skip
    size = {
        "vocab_size": 32, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 32,
        "num_codebooks": EncodecModel(sound).quantizer.num_quantizers, "pad_token_id": 32, "bos_token_id": 32,
    }  # fmt: skip
    reads = T5Config(vocab_size=words, d_model=16, d_ff=32, d_kv=8, num_layers=2, num_heads=2)
    return reads.to_dict(), sound.to_dict(), size


def _saved(model: Any, folder: Path) -> None:
    for part in (model.text_encoder, model.decoder):
        for values in part.parameters():
            values.data.mul_(6)  # else it hardly reads the words
    for layer in model.audio_encoder.quantizer.layers:
        layer.codebook.embed.normal_()  # else every token sounds alike
    made: Any = model.generation_config
    made.decoder_start_token_id = made.pad_token_id = made.bos_token_id = 32
    made.do_sample, made.guidance_scale, made.max_length, made.top_k = True, 3.0, 1500, 250
    model.save_pretrained(folder)
