"""Schemas that somebody typed: what is usual is taken, and what would keep everybody waiting is refused."""

from __future__ import annotations

import json

import pytest

from shared.chat.schemas import DEEPEST, read_schema
from shared.errors import InvalidRequest

NAME = {"type": "string", "maxLength": 80}
PHONE = {"type": "string", "pattern": r"^(\([0-9]{3}\))?[0-9-]{4,9}$"}
PERSON = {"type": "object", "properties": {"name": NAME, "phone": PHONE}, "required": ["name"]}


def test_a_usual_schema_is_taken_as_it_is() -> None:
    schema = {"$defs": {"p": PERSON}, "type": "array", "items": {"$ref": "#/$defs/p"}, "maxItems": 20}
    assert read_schema(json.dumps(schema)) == schema


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"enum": ["x" * 100] * 2000}),
        '{"type":"array","minItems":10000000,"items":{"type":"string"}}',
        '{"type":"string","minLength":100000000}',
        '{"items":' * DEEPEST + '{"type":"string"}' + "}" * DEEPEST,
        '{"a":' * 1500 + "1" + "}" * 1500,
        '{"$ref":"#"}',
        '{"type":"string","pattern":"^(a?a?a?){60}$"}',
        '{"$ref":"http://169.254.169.254/x"}',
    ],
)
def test_one_that_asks_for_too_much_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="too much"):
        read_schema(text)


@pytest.mark.parametrize(("text", "words"), [("{", "can't be read"), ("[1]", "must be an object")])
def test_what_is_no_schema_is_told_so(text: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        read_schema(text)
