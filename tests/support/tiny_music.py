"""A tiny random music model of the real class, and a SoundFont whose one sample is a sine."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

from shared.music.language import BEGIN, END, PAD, UNKNOWN, Vocabulary, words

RATE = 22_050
PERIOD = 50  # samples of the sine: 441 Hz, which is played as the key 69


def music_model(folder: Path, longest: int = 512, vocabulary: tuple[str, ...] | None = None) -> Path:
    """GPT-2 with the music language's tokenizer, the same at every call."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    ids = dict(Vocabulary.of(vocabulary or words()).ids)
    inner = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    reader = PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token=BEGIN, eos_token=END, pad_token=PAD, unk_token=UNKNOWN
    )
    config = GPT2Config(
        vocab_size=len(ids), n_positions=longest, n_embd=32, n_layer=2, n_head=2, bos_token_id=1, eos_token_id=2
    )
    with torch.random.fork_rng():
        torch.manual_seed(5)
        GPT2LMHeadModel(config).eval().save_pretrained(folder)
    reader.save_pretrained(folder)
    return folder


def soundfont(file: Path, programs: tuple[int, ...] = (0, 40, 73)) -> Path:
    """A SoundFont 2 file with one looped sine for every key of these programs."""
    sine = [round(20_000 * math.sin(2 * math.pi * i / PERIOD)) for i in range(PERIOD * 40)]
    samples = struct.pack(f"<{len(sine) + 46}h", *sine, *[0] * 46)
    presets = [struct.pack("<20sHHHIII", b"sine", p, 0, i, 0, 0, 0) for i, p in enumerate(programs)]
    presets.append(struct.pack("<20sHHHIII", b"EOP", 0, 0, len(programs), 0, 0, 0))
    sample = struct.pack(
        "<20sIIIIIBbHH", b"sine", 0, len(sine), PERIOD * 10, PERIOD * 30, RATE, 69, 0, 0, 1
    ) + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    lists = {
        b"INFO": {b"ifil": struct.pack("<HH", 2, 1)},
        b"sdta": {b"smpl": samples},
        b"pdta": {
            b"phdr": b"".join(presets),
            b"pbag": b"".join(struct.pack("<HH", i, 0) for i in range(len(programs) + 1)),
            b"pmod": bytes(10),
            b"pgen": b"".join(struct.pack("<HH", 41, 0) for _ in programs) + bytes(4),
            b"inst": struct.pack("<20sH", b"sine", 0) + struct.pack("<20sH", b"EOI", 1),
            b"ibag": struct.pack("<HHHH", 0, 0, 2, 0),
            b"imod": bytes(10),
            b"igen": struct.pack("<HHHH", 54, 1, 53, 0) + bytes(4),
            b"shdr": sample,
        },
    }
    body = b"sfbk" + b"".join(
        _chunk(b"LIST", name + b"".join(_chunk(*c) for c in inside.items())) for name, inside in lists.items()
    )
    file.write_bytes(_chunk(b"RIFF", body))
    return file


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def played(piece_end: int, **fields: Any) -> Any:
    """A piece of one part whose bars fill `piece_end` ticks."""
    from shared.music.piece import Bar, Key, Metre, Piece

    metre = fields.pop("metre", Metre(4, 4))
    bars = tuple(Bar(start, metre.ticks, part=start == 0) for start in range(0, piece_end, metre.ticks))
    usual: dict[str, Any] = {"kind": "air", "key": Key(0), "tempo": 120, "voices": 1}
    return Piece(**{**usual, "metre": metre, "bars": bars, **fields})
