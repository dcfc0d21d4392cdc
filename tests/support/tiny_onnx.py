"""A tiny network in ONNX's own form, written byte by byte: it takes what Kokoro takes, and hums.

The form: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, in protocol buffers' wire format.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

_FLOAT, _INT64 = 1, 7
SAMPLES = 1200  # for each phoneme


def hum(path: Path) -> Path:
    """A network whose sound is a tone for each phoneme, higher with its number and shorter with the speed."""
    ramp = (np.arange(SAMPLES, dtype=np.float32) * 0.01).reshape(1, 1, SAMPLES)
    nodes = [
        _node("Cast", ["tokens"], ["numbers"], _attribute("to", _FLOAT)),
        _node("Add", ["numbers", "ten"], ["raised"]),
        _node("Unsqueeze", ["raised", "last"], ["column"]),
        _node("Mul", ["column", "ramp"], ["phase"]),
        _node("Sin", ["phase"], ["wave"]),
        _node("ReduceMean", ["style"], ["mean"], _attribute("keepdims", 0)),
        _node("Mul", ["wave", "mean"], ["louder"]),
        _node("Reshape", ["louder", "flat"], ["whole"]),
        _node("Size", ["whole"], ["count"]),
        _node("Cast", ["count"], ["length"], _attribute("to", _FLOAT)),
        _node("Div", ["length", "speed"], ["shorter"]),
        _node("Cast", ["shorter"], ["end"], _attribute("to", _INT64)),
        _node("Slice", ["whole", "zero", "end"], ["audio"]),
    ]
    initial = [
        _tensor("ten", np.float32([10])),
        _tensor("ramp", ramp),
        _tensor("last", np.int64([2])),
        _tensor("flat", np.int64([-1])),
        _tensor("zero", np.int64([0])),
    ]
    inputs = [_value("tokens", _INT64, [1, None]), _value("style", _FLOAT, [1, 256]), _value("speed", _FLOAT, [1])]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_network(nodes, initial, inputs, _value("audio", _FLOAT, [None])))
    return path


def mean_of(count: int, times: int) -> bytes:
    """A network that says the mean of `count` numbers, so many times."""
    nodes = [_node("MatMul", ["heard", "weights"], ["told"])]
    weights = _tensor("weights", np.full((count, times), 1 / count, np.float32))
    return _network(nodes, [weights], [_value("heard", _FLOAT, [None, count])], _value("told", _FLOAT, [None, times]))


def _network(nodes: list[bytes], initial: list[bytes], inputs: list[bytes], output: bytes) -> bytes:
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, b"tiny")
    graph += b"".join(_field(5, tensor) for tensor in initial) + b"".join(_field(11, value) for value in inputs)
    return _number(1, 8) + _field(7, graph + _field(12, output)) + _field(8, _number(2, 17))


def _varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _node(kind: str, inputs: list[str], outputs: list[str], *attributes: bytes) -> bytes:
    named = b"".join(_field(1, name.encode()) for name in inputs) + b"".join(_field(2, n.encode()) for n in outputs)
    return named + _field(4, kind.encode()) + b"".join(_field(5, each) for each in attributes)


def _attribute(name: str, value: int) -> bytes:
    return _field(1, name.encode()) + _number(3, value) + _number(20, 2)


def _tensor(name: str, values: np.ndarray) -> bytes:
    kind = _INT64 if values.dtype == np.int64 else _FLOAT
    sizes = b"".join(_number(1, size) for size in values.shape)
    return sizes + _number(2, kind) + _field(8, name.encode()) + _field(9, values.tobytes())


def _value(name: str, kind: int, sizes: list[int | None]) -> bytes:
    shape = b"".join(_field(1, _number(1, size) if size is not None else _field(2, b"n")) for size in sizes)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, kind) + _field(2, shape)))
