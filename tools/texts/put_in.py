"""The words that a Python file puts into its texts by a choice: `"words" if counted else "characters"`, and their like.

They are shown within a text, and so are texts themselves, however short. A half of a word is none in another language.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tools.texts.python_files import Found, is_shown, template_of
from tools.texts.rules import Rules

_DEEP = 4  # choices within choices
_Names = Mapping[str, list[ast.expr]]


def words(source: str, rules: Rules) -> Iterator[Found]:
    """Each word that is put into a text which somebody may read."""
    for _, choice, line in _choices(source, rules):
        if rules.counts(choice.strip()) and "<" not in choice:
            yield Found(choice.strip(), line)


def halves(source: str, rules: Rules) -> Iterator[Found]:
    """Each text that is put together from halves of words, as `clip{0}` with an `s` or none."""
    for text, choice, line in _choices(source, rules):
        if choice.strip() == choice and choice.isalpha() and any(f"{side}\0" in text for side in _LETTERS):
            yield Found(text.replace("\0", choice), line)


_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _choices(source: str, rules: Rules) -> Iterator[tuple[str, str, int]]:
    """Each text with a mark where something is put in, what is put in there, and the line."""
    tree = ast.parse(source)
    yield from _within(tree, _assigned(tree.body), rules)


def _within(node: ast.AST, names: _Names, rules: Rules) -> Iterator[tuple[str, str, int]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        names = {**names, **_assigned(ast.walk(node))}
    if isinstance(node, ast.Call) and rules.skips_call(ast.unparse(node.func).split("(")[0]):
        return
    if isinstance(node, ast.JoinedStr) and is_shown(template_of(node), rules):
        for number, value in enumerate(node.values):
            if isinstance(value, ast.FormattedValue):
                text = "".join(
                    str(each.value) if isinstance(each, ast.Constant) else "\0" if at == number else "…"
                    for at, each in enumerate(node.values)
                )
                yield from ((text, choice, node.lineno) for choice in _strings(value.value, names))
    for child in ast.iter_child_nodes(node):
        yield from _within(child, names, rules)


def _assigned(nodes: object) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in nodes:  # type: ignore[attr-defined]
        if isinstance(node, ast.Assign):
            for target in node.targets:
                inner = (
                    zip(target.elts, node.value.elts, strict=False)
                    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                    else [(target, node.value)]
                )
                for name, value in inner:
                    if isinstance(name, ast.Name):
                        found.setdefault(name.id, []).append(value)
    return found


def _strings(value: ast.expr, names: _Names, depth: int = 0) -> Iterator[str]:
    """The literals that the value may be."""
    if depth > _DEEP:
        return
    inner: list[ast.expr] = []
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        inner = [value.body, value.orelse]
    elif isinstance(value, ast.BoolOp):
        inner = value.values
    elif isinstance(value, ast.Name):
        meant = names.get(value.id, [])
        inner = [each for each in meant if not isinstance(each, ast.Name | ast.Constant) or len(meant) > 1]
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "join":
        inner = [value.func.value]
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in {"escape", "str"}:
        inner = value.args[:1]
    elif isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name):
        tables = [each for each in names.get(value.value.id, []) if isinstance(each, ast.Dict)]
        inner = [each for table in tables for each in table.values]
    for each in inner:
        yield from _strings(each, names, depth + 1)
