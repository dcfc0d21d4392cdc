"""A receipt survives being written down, in this format and in a later one."""

from __future__ import annotations

import json

import pytest

from shared.receipts import Receipt, Seconds

FULL = Receipt(
    model="m",
    name="Modèle",
    task="conversational",
    backend="fake",
    mode="quantized",
    license="Apache-2.0",
    starter=True,
    repo_id="org/m",
    revision="abc",
    filename="m.gguf",
    device="cpu",
    dtype="bfloat16",
    quantization="Q4_1",
    versions={"lib": "1.2"},
    seed=0,
    seed_kind="exact",
    noise_device="cpu",
    settings={"temperature": 0.0, "response_format": {"type": "json_object"}},
    unhonoured={"top_k": "It has no such setting."},
    notes=("One engine failed.", "Trimmed."),
    seconds=Seconds(queue=0.1, load=0.2, first_output=0.3, total=1.5),
    input_tokens=5,
    output_tokens=7,
    cached_tokens=0,
    reasoning_tokens=2,
    tokens_per_second=20.5,
    memory_gb=0.25,
    cost_usd=0.001,
    cost_note="list price",
    finish_reason="stop",
    created="2026-01-01T00:00:00+00:00",
    extra={"request_id": "r1"},
)
BARE = Receipt(model="m", name="M", task="conversational", backend="fake", mode="local", license="MIT")


@pytest.mark.parametrize("receipt", [FULL, BARE], ids=["full", "bare"])
def test_a_receipt_comes_back_whole_from_json(receipt: Receipt) -> None:
    assert Receipt.from_dict(json.loads(receipt.to_json())) == receipt


def test_what_has_no_value_is_left_out_and_zero_is_a_value() -> None:
    assert "cost_usd" not in BARE.to_dict() and "notes" not in BARE.to_dict()
    assert FULL.to_dict()["seed"] == 0 and FULL.to_dict()["cached_tokens"] == 0
    assert "è" in FULL.to_json(), "names stay readable"


def test_fields_of_a_later_format_are_passed_over() -> None:
    later = json.loads(FULL.to_json()) | {"format": 9, "mood": "good"}
    later["seconds"]["thinking"] = 4.0
    read = Receipt.from_dict(later)
    assert read.seconds == FULL.seconds and read.model == "m" and read.format == 9


@pytest.mark.parametrize(
    "data", [{}, {"model": "m"}, [], None, "receipt", {**BARE.to_dict(), "seconds": 5}, {**BARE.to_dict(), "notes": 5}]
)
def test_what_is_no_receipt_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="not a receipt"):
        Receipt.from_dict(data)  # type: ignore[arg-type]
