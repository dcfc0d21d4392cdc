"""`python -m tools.texts`: what each language lacks; `python -m tools.texts add es FILE.json` puts translations in."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.places import ROOT
from tools.texts.collecting import all_texts

FOLDER = ROOT / "shared" / "languages"


def main(arguments: list[str]) -> int:
    """Report, or add; 1 where something is lacking."""
    texts = all_texts(ROOT)
    codes = tomllib.loads((FOLDER / "languages.toml").read_text(encoding="utf-8"))
    if arguments[:1] == ["add"] and len(arguments) == 3 and arguments[1] in codes:
        more = json.loads(Path(arguments[2]).read_text(encoding="utf-8"))
        write(arguments[1], {**read(arguments[1]), **more}, texts)
        return 0
    if arguments[:1] == ["lacking"] and len(arguments) == 2 and arguments[1] in codes:
        known = read(arguments[1])
        print(json.dumps({text: "" for text in texts if text not in known}, ensure_ascii=False, indent=1))
        return 0
    if arguments:
        print(
            "Use: python -m tools.texts | python -m tools.texts lacking CODE | python -m tools.texts add CODE FILE.json"
        )
        return 2
    lacking = {code: list(lacking_in(read(code), texts)) for code in codes}
    for code, missing in lacking.items():
        print(f"{code}: {len(texts) - len(missing)} of {len(texts)} texts")
        for text in missing[:5]:
            print(f"   {texts[text]}: {text[:100]!r}")
    return int(any(lacking.values()))


def lacking_in(known: dict[str, str], texts: dict[str, str]) -> Iterator[str]:
    """The texts that a language has no translation of."""
    return (text for text in texts if text not in known)


def read(code: str) -> dict[str, str]:
    """The translations of a language; none where it has no file yet."""
    file = FOLDER / f"{code}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def write(code: str, known: dict[str, str], texts: dict[str, str]) -> None:
    """The translations of the texts that there are, in their order; what stands in the code no more is left out."""
    lines = [f"{_quoted(text)} = {_quoted(known[text])}" for text in texts if known.get(text)]
    (FOLDER / f"{code}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
