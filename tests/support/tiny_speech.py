"""Tiny random models that speak, of real families, saved as a person would find them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.tiny_models import save, tokenizer

LETTERS = " abcdefghijklmnopqrstuvwxyz'.,!?"


def vits(folder: Path, speakers: int = 1) -> Path:
    """VITS, as the MMS models are."""
    import torch
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    torch.manual_seed(1)
    config = VitsConfig(
        vocab_size=len(LETTERS) + 1, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, ffn_dim=32,
        flow_size=16, spectrogram_bins=17, prior_encoder_num_flows=2, prior_encoder_num_wavenet_layers=2,
        posterior_encoder_num_wavenet_layers=2, duration_predictor_num_flows=2, duration_predictor_filter_channels=16,
        upsample_initial_channel=16, upsample_rates=[4, 4], upsample_kernel_sizes=[8, 8],
        resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]], sampling_rate=8000, num_speakers=speakers,
        speaker_embedding_size=8 if speakers > 1 else 0,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({"<unk>": 0, **{c: n + 1 for n, c in enumerate(LETTERS)}}), encoding="utf-8")
    model = VitsModel(config)
    _louder(model)
    model.save_pretrained(folder)
    VitsTokenizer(
        str(vocabulary), pad_token=" ", unk_token="<unk>", normalize=True, phonemize=False, add_blank=True
    ).save_pretrained(folder)
    return folder


def speecht5(folder: Path) -> Path:
    """SpeechT5, its vocoder in the folder."""
    import sentencepiece
    import torch
    from transformers import SpeechT5Config, SpeechT5ForTextToSpeech, SpeechT5HifiGan, SpeechT5HifiGanConfig
    from transformers import SpeechT5Tokenizer as Tokenizer

    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    words = [f"{a}{b} {b}{a}" for a in LETTERS.strip() for b in LETTERS.strip()]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(words * 4), model_prefix=str(folder / "spm"), model_type="char", vocab_size=40,
        hard_vocab_limit=False, minloglevel=2, bos_id=0, pad_id=1, eos_id=2, unk_id=3,
    )  # fmt: skip
    reader = Tokenizer(str(folder / "spm.model"))
    config = SpeechT5Config(
        vocab_size=len(reader) + 4, hidden_size=16, encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=32, speech_decoder_prenet_units=16,
        speech_decoder_postnet_layers=1, speech_decoder_postnet_units=16, speaker_embedding_dim=8, num_mel_bins=20,
        max_text_positions=400, max_speech_positions=800, bos_token_id=0, pad_token_id=1, eos_token_id=2,
        decoder_start_token_id=2,
    )  # fmt: skip
    model = SpeechT5ForTextToSpeech(config)
    with torch.no_grad():
        model.speech_decoder_postnet.prob_out.bias.fill_(-4.0)  # else it stops at once
        model.speech_decoder_postnet.feat_out.weight.mul_(20)
    model.save_pretrained(folder)
    reader.save_pretrained(folder)
    sound = SpeechT5HifiGanConfig(
        model_in_dim=20, sampling_rate=8000, upsample_initial_channel=16, upsample_rates=[4, 4],
        upsample_kernel_sizes=[8, 8], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]],
        normalize_before=False,
    )  # fmt: skip
    vocoder = SpeechT5HifiGan(sound)
    _louder(vocoder)
    vocoder.save_pretrained(folder / "vocoder")
    return folder


def bark(folder: Path) -> Path:
    """Bark, with one voice of its own."""
    import numpy as np
    import torch
    from transformers import BarkConfig, BarkModel, BarkProcessor, BertTokenizer, EncodecConfig
    from transformers.models.bark import BarkCoarseConfig, BarkFineConfig, BarkSemanticConfig
    from transformers.models.bark.generation_configuration_bark import (
        BarkCoarseGenerationConfig,
        BarkFineGenerationConfig,
        BarkGenerationConfig,
        BarkSemanticGenerationConfig,
    )

    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    size = {"num_layers": 1, "num_heads": 2, "hidden_size": 16, "block_size": 1024, "bias": False}
    config = BarkConfig(
        semantic_config=BarkSemanticConfig(input_vocab_size=1200, output_vocab_size=64, **size).to_dict(),
        coarse_acoustics_config=BarkCoarseConfig(input_vocab_size=200, output_vocab_size=200, **size).to_dict(),
        fine_acoustics_config=BarkFineConfig(
            input_vocab_size=33, output_vocab_size=33, n_codes_total=4, **size
        ).to_dict(),
        codec_config=EncodecConfig(
            codebook_size=32, codebook_dim=16, hidden_size=16, num_filters=4, upsampling_ratios=[8, 4],
            num_lstm_layers=1, sampling_rate=8000, target_bandwidths=[5.0],
        ).to_dict(),
    )  # fmt: skip
    model = BarkModel(config)
    with torch.no_grad():
        for layer in model.codec_model.quantizer.layers:
            layer.codebook.embed.normal_()  # zeros else
        list(model.codec_model.decoder.parameters())[-2].mul_(20)
    model.save_pretrained(folder)
    generation = BarkGenerationConfig(
        semantic_config=BarkSemanticGenerationConfig(
            max_new_tokens=12, semantic_vocab_size=60, text_encoding_offset=64, text_pad_token=1100, eos_token_id=60,
            semantic_pad_token=60, semantic_infer_token=1101, max_input_semantic_length=32, semantic_rate_hz=50,
        ).to_dict(),
        coarse_acoustics_config=BarkCoarseGenerationConfig(
            semantic_rate_hz=50, coarse_rate_hz=75, coarse_semantic_pad_token=190, coarse_infer_token=191,
            max_coarse_input_length=32, max_coarse_history=64, sliding_window_len=30, n_coarse_codebooks=2,
        ).to_dict(),
        fine_acoustics_config=BarkFineGenerationConfig(
            max_fine_history_length=32, max_fine_input_length=64, n_fine_codebooks=4,
        ).to_dict(),
        sample_rate=8000, codebook_size=32,
    )  # fmt: skip
    (folder / "generation_config.json").write_text(json.dumps(generation.to_dict(), default=str))
    words = folder / "vocab.txt"
    words.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS.strip(), "hello", "there"]))
    voice = {
        "semantic_prompt": np.arange(10) % 50,
        "coarse_prompt": np.ones((2, 15), int),
        "fine_prompt": np.ones((4, 15), int),
    }
    for name, values in voice.items():
        np.save(folder / f"ada_{name}.npy", values)
    paths = {"repo_or_path": str(folder), "ada": {name: f"ada_{name}.npy" for name in voice}}
    (folder / "speaker_embeddings_path.json").write_text(json.dumps(paths))
    BarkProcessor(BertTokenizer(str(words))).save_pretrained(folder)
    return folder


def csm(folder: Path) -> Path:
    """CSM, with a tiny Mimi inside."""
    import torch
    from transformers import (
        CsmConfig,
        CsmDepthDecoderConfig,
        CsmForConditionalGeneration,
        CsmProcessor,
        EncodecFeatureExtractor,
        MimiConfig,
    )

    torch.manual_seed(1)
    reader = tokenizer(template=None)
    reader.add_special_tokens({"additional_special_tokens": ["<|AUDIO|>", "<|audio_eos|>"]})
    ids = {name: reader.convert_tokens_to_ids(name) for name in ("<|AUDIO|>", "<|audio_eos|>", "<s>")}
    size = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
        "num_key_value_heads": 2,
    }  # fmt: skip
    codec = MimiConfig(
        sampling_rate=8000, frame_rate=4.5, hidden_size=16, num_filters=4, num_residual_layers=1,
        upsampling_ratios=[8, 6, 5, 4], codebook_size=64, codebook_dim=8, num_quantizers=4, num_semantic_quantizers=1,
        num_hidden_layers=1, intermediate_size=32, num_attention_heads=2, num_key_value_heads=2, upsample_groups=16,
        vector_quantization_hidden_dimension=8, max_position_embeddings=256, sliding_window=32,
    )  # fmt: skip
    config = CsmConfig(
        num_codebooks=4, vocab_size=64, text_vocab_size=len(reader), max_position_embeddings=256,
        depth_decoder_config=CsmDepthDecoderConfig(
            num_codebooks=4, backbone_hidden_size=16, vocab_size=64, max_position_embeddings=5, **size
        ).to_dict(),
        codec_config=codec.to_dict(), codebook_pad_token_id=63, codebook_eos_token_id=0, pad_token_id=2,
        bos_token_id=ids["<s>"], audio_token_id=ids["<|AUDIO|>"], audio_eos_token_id=ids["<|audio_eos|>"], **size,
    )  # fmt: skip
    model = CsmForConditionalGeneration(config)
    for name, values in model.codec_model.named_buffers():
        if name.endswith("embed_sum"):
            values.normal_()  # zeros else
    model.generation_config.update(do_sample=True, temperature=0.9, depth_decoder_do_sample=True)
    model.generation_config.update(depth_decoder_temperature=0.9, max_new_tokens=25)
    hears = EncodecFeatureExtractor(feature_size=1, sampling_rate=8000)
    template = "{% for message in messages %}<s>[{{ message['role'] }}]{% for part in message['content'] %}"
    template += "{{ part['text'] or '<|AUDIO|><|audio_eos|>' }}{% endfor %}</s>{% endfor %}"
    return save(folder, model, CsmProcessor(hears, reader, chat_template=template))


def dia(folder: Path) -> Path:
    """Dia, its codec in a folder beside."""
    import torch
    from transformers import (
        DacConfig,
        DacFeatureExtractor,
        DacModel,
        DiaConfig,
        DiaDecoderConfig,
        DiaEncoderConfig,
        DiaForConditionalGeneration,
        DiaProcessor,
        DiaTokenizer,
    )

    torch.manual_seed(1)
    codec = DacModel(
        DacConfig(
            encoder_hidden_size=8, downsampling_ratios=[4, 4, 4, 4], decoder_hidden_size=32, n_codebooks=9,
            codebook_size=1024, codebook_dim=4, sampling_rate=8000,
        )
    )  # fmt: skip
    codec.save_pretrained(folder / "codec")
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = DiaConfig(
        encoder_config=DiaEncoderConfig(
            num_key_value_heads=2, head_dim=8, max_position_embeddings=256, **size
        ).to_dict(),
        decoder_config=DiaDecoderConfig(
            num_key_value_heads=2, head_dim=8, cross_num_attention_heads=2, cross_head_dim=8,
            cross_num_key_value_heads=2, cross_hidden_size=16, max_position_embeddings=512, **size
        ).to_dict(),
    )  # fmt: skip
    model = DiaForConditionalGeneration(config)
    model.generation_config.update(do_sample=True, temperature=1.8, guidance_scale=3.0, max_new_tokens=60)
    hears = DacFeatureExtractor(sampling_rate=8000, hop_length=256)
    reader = DiaProcessor(hears, DiaTokenizer(), DacModel.from_pretrained(folder / "codec"))
    return save(folder, model, reader)


def pocket_tts(folder: Path) -> Path:
    """Pocket TTS, its codec in a folder beside."""
    import torch
    from transformers import (
        AutoTokenizer,
        PocketTTSAudioTokenizerConfig,
        PocketTTSAudioTokenizerModel,
        PocketTTSConfig,
        PocketTTSFeatureExtractor,
        PocketTTSFlowHeadConfig,
        PocketTTSForConditionalGeneration,
        PocketTTSProcessor,
    )

    torch.manual_seed(1)
    parts = ("prompt", "latent", "prompt_bos", "bos")
    names = {f"audio_{part}_token": f"<{part}>" for part in parts}
    plain = tokenizer(template=None)
    plain.add_special_tokens({"additional_special_tokens": list(names.values())})
    plain.save_pretrained(folder / "reader")
    reader = AutoTokenizer.from_pretrained(folder / "reader", extra_special_tokens=names)
    ids = {f"{name}_id": reader.convert_tokens_to_ids(token) for name, token in names.items()}
    PocketTTSAudioTokenizerModel(
        PocketTTSAudioTokenizerConfig(
            sampling_rate=8000, hidden_size=16, num_filters=4, upsampling_ratios=[8, 5, 4], upsample_groups=16,
            num_hidden_layers=1, intermediate_size=32, num_attention_heads=2, num_key_value_heads=2, latent_stride=4,
            latent_dim=8, max_position_embeddings=512, sliding_window=32,
        )
    ).save_pretrained(folder / "codec")  # fmt: skip
    codec = PocketTTSAudioTokenizerModel.from_pretrained(folder / "codec")
    head = PocketTTSFlowHeadConfig(
        hidden_size=16, num_hidden_layers=1, latent_dim=8, condition_dim=16, frequency_embedding_size=16
    )
    model = PocketTTSForConditionalGeneration(
        PocketTTSConfig(
            flow_head_config=head.to_dict(), vocab_size=len(reader), hidden_size=16, num_hidden_layers=1,
            num_attention_heads=2, intermediate_size=32, latent_dim=8, max_position_embeddings=512,
            pad_token_id=reader.pad_token_id, **ids,
        )
    )  # fmt: skip
    model.generation_config.update(do_sample=True, temperature=0.9)
    frame = codec.config.frame_size
    hears = PocketTTSFeatureExtractor(sampling_rate=8000, frame_size=frame, pad_to_multiple_of=frame)
    template = "{% for message in messages %}{% for part in message['content'] %}"
    template += "{% if part['type'] == 'audio' %}<prompt_bos><prompt>{% else %}{{ part['text'] }}{% endif %}"
    template += "{% endfor %}{% endfor %}<bos>"
    return save(folder, model, PocketTTSProcessor(hears, reader, codec, chat_template=template))


def vibevoice(folder: Path) -> Path:
    """VibeVoice, whose random weights would say nothing: one direction of its vectors is made to say “go on”."""
    import torch
    from transformers import (
        Qwen2Config,
        VibeVoiceAcousticTokenizerConfig,
        VibeVoiceAcousticTokenizerEncoderConfig,
        VibeVoiceAcousticTokenizerFeatureExtractor,
        VibeVoiceConfig,
        VibeVoiceDiffusionHeadConfig,
        VibeVoiceForConditionalGeneration,
        VibeVoiceProcessor,
    )

    torch.manual_seed(1)
    reader = tokenizer(template=None)
    names = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>")
    reader.add_special_tokens({"additional_special_tokens": list(names)})
    start, end, more = map(reader.convert_tokens_to_ids, names)
    codec = {
        "hidden_size": 8, "num_filters": 4, "downsampling_ratios": [10, 10, 16], "depths": [1, 1, 1, 1],
        "kernel_size": 3, "ffn_expansion": 2,
    }  # fmt: skip
    config = VibeVoiceConfig(
        text_config=Qwen2Config(
            vocab_size=len(reader), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=2, max_position_embeddings=512,
        ).to_dict(),
        audio_config=VibeVoiceAcousticTokenizerConfig(**codec).to_dict(),
        semantic_model_config=VibeVoiceAcousticTokenizerEncoderConfig(**codec).to_dict(),
        diffusion_head_config=VibeVoiceDiffusionHeadConfig(
            num_hidden_layers=1, intermediate_size=32, frequency_embedding_size=16
        ).to_dict(),
        pad_token_id=reader.pad_token_id, eos_token_id=reader.eos_token_id, audio_bos_token_id=start,
        audio_eos_token_id=end, audio_token_id=more,
    )  # fmt: skip
    model = VibeVoiceForConditionalGeneration(config)
    with torch.no_grad():
        model.get_input_embeddings().weight[:, 0] = 5.0
        model.lm_head.weight.zero_()
        model.lm_head.weight[more, 0] = 5.0
        model.model.multi_modal_projector.linear_2.bias[0] = 5.0
        for name, values in model.model.audio_tower.decoder.named_parameters():
            values.mul_(30 if name.startswith("head") else 8 if values.dim() > 1 else 1)
    model.generation_config.update(guidance_scale=1.3)
    template = "{% for message in messages %}{{ message['role'] }}:{% for part in message['content'] %}"
    template += "{% if part['type'] == 'audio' %}<|vision_start|><|vision_pad|><|vision_end|>{% else %}"
    template += "{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}<|vision_start|>"
    hears = VibeVoiceAcousticTokenizerFeatureExtractor(sampling_rate=8000, pad_to_multiple_of=1600)
    return save(folder, model, VibeVoiceProcessor(hears, reader, chat_template=template))


FAMILIES: dict[str, Callable[[Path], Path]] = {
    "vits": vits,
    "speecht5": speecht5,
    "bark": bark,
    "csm": csm,
    "dia": dia,
    "pocket_tts": pocket_tts,
    "vibevoice": vibevoice,
}


def _louder(model: Any) -> None:
    """Random weights whisper: the last layer is raised, so that there is something to be heard."""
    import torch

    last = [module for name, module in model.named_modules() if name.endswith("conv_post")][-1]
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.mul_(20).add_(0.05)
