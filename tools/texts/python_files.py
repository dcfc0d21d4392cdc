"""The texts in a Python file: string literals that are shown to people, f-strings and sums among them as templates."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.texts import html
from tools.texts.rules import Rules

_PROSE = re.compile(r"[^\W\d_]+[,:;]? +[^\W\d_{]|[^\W\d_]{3,}[:,;]? \{|\} ?[^\W\d_]{3,}")
_LABEL = re.compile(r"[A-Z][a-z]+(?:'[a-z]+)?(?: [\d:]+)?(?: \([a-z, ]+\))?(?:, [%a-z]+)?[.:…]?")
_IDENTIFIER = re.compile(r"[a-z0-9{}._-]+")
_TAG = re.compile(r"<[a-z!/][^>]*>", re.IGNORECASE)
_FIELD = re.compile(r"\{[a-z_]*(?::[^{}]*)?\}")  # of a string that `.format` fills
_BESIDE = re.compile(r"(\{\d+\})(?:\{\d+\})+")
_DESCRIBED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Found:
    """A text, and the line where it stands."""

    text: str
    line: int


def texts(source: str, rules: Rules) -> Iterator[Found]:
    """Every text of the file that somebody may read. What is put into one stands as `{0}`, `{1}`, ..."""
    reader = _Reader(rules)
    reader.visit(ast.parse(source))
    for template, call, line in reader.found:
        pieces = html.texts(template) if _TAG.search(template) else [template]
        for piece in pieces:
            text = html.numbered(_BESIDE.sub(r"\1", piece.strip()))
            if rules.counts(text) and _is_for_people(text, call in rules.always):
                yield Found(text, line)


def template_of(node: ast.JoinedStr) -> str:
    """An f-string with its places as `{0}`, `{1}`, ..."""
    return _template(_parts(node) or [])


def is_shown(template: str, rules: Rules) -> bool:
    """Whether somebody may read that, or a part of it where it is HTML."""
    pieces = html.texts(template) if _TAG.search(template) else [template.strip()]
    return any(rules.counts(piece) and _is_for_people(piece, False) for piece in pieces)


def _is_for_people(text: str, always: bool) -> bool:
    if always:
        return not _IDENTIFIER.fullmatch(text)
    return bool(_PROSE.search(text) or _LABEL.fullmatch(text))


class _Reader(ast.NodeVisitor):
    """Finds templates, each with the function that it is given to and its line."""

    def __init__(self, rules: Rules) -> None:
        self.found: list[tuple[str, str, int]] = []
        self._rules, self._calls = rules, [""]

    def visit(self, node: ast.AST) -> None:
        """Take the node if it is a string; else look within, but for what nobody is shown."""
        parts = _parts(node) if isinstance(node, ast.expr) else None
        if parts is not None:
            self.found.append((_template(parts), self._calls[-1], getattr(node, "lineno", 0)))
            for part in parts:
                if isinstance(part, ast.expr):
                    self.visit(part)
        elif isinstance(node, ast.Call):
            self._call(node)
        elif not isinstance(node, (ast.arg, ast.Compare, ast.Import, ast.ImportFrom)):
            self._within(node)

    def _call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func).split("(")[0]
        if self._rules.skips_call(name):
            return
        self._calls.append(name)
        self.generic_visit(node)
        self._calls.pop()

    def _within(self, node: ast.AST) -> None:
        if isinstance(node, ast.AnnAssign):
            if node.value is not None and not self._rules.skips_name(ast.unparse(node.target)):
                self.visit(node.value)
            return
        if isinstance(node, ast.Assign) and self._rules.skips_name(ast.unparse(node.targets[0])):
            return
        body = list(ast.iter_child_nodes(node))
        if isinstance(node, _DESCRIBED) and ast.get_docstring(node, clean=False) is not None:
            body.remove(node.body[0])
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns is not None:
            body.remove(node.returns)
        for child in body:
            self.visit(child)


def _parts(node: ast.AST) -> list[str | ast.expr] | None:
    """A string's pieces: words, and the expressions between them. None for what is no string."""
    if isinstance(node, ast.Constant):
        return _with_fields(node.value) if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return [
            part.value if isinstance(part, ast.FormattedValue) else str(ast.literal_eval(part)) for part in node.values
        ]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _parts(node.left), _parts(node.right)
        if left is not None or right is not None:
            return [*(left or [node.left]), *(right or [node.right])]
    return None


def _with_fields(text: str) -> list[str | ast.expr]:
    """The text; where it is one that `.format` fills, its fields are places like those of an f-string."""
    pieces: list[str | ast.expr] = []
    for piece in re.split(f"({_FIELD.pattern})", text):
        pieces.append(ast.Pass() if _FIELD.fullmatch(piece) else piece)  # type: ignore[arg-type]
    return pieces


def _template(parts: list[str | ast.expr]) -> str:
    numbers = iter(range(len(parts)))
    return "".join(part if isinstance(part, str) else f"{{{next(numbers)}}}" for part in parts)
