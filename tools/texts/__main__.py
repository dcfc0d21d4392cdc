"""`python -m tools.texts`: what each language lacks; see `docs/languages.md`."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tools.places import ROOT
from tools.texts.collecting import all_texts, lesson_texts

FOLDER = ROOT / "shared" / "languages"
USE = """Use: python -m tools.texts                     what each language lacks
     python -m tools.texts lacking CODE        the same of one, as JSON to be filled in
     python -m tools.texts add CODE FILE.json  puts what was filled in into the language's files"""


def main(arguments: list[str]) -> int:
    """Report, or add; 1 where something is lacking, 2 where it isn't known what is meant."""
    codes = tomllib.loads((FOLDER / "languages.toml").read_text(encoding="utf-8"))
    asked, code = [*arguments, "", ""][:2]
    texts = {file: told for file, told in (("{}.toml", all_texts(ROOT)), ("lessons/{}.toml", lesson_texts(ROOT)))}
    if (asked, len(arguments)) == ("add", 3) and code in codes:
        more = json.loads(Path(arguments[2]).read_text(encoding="utf-8"))
        for file, those in texts.items():
            write(FOLDER / file.format(code), those, more)
        return 0
    if (asked, len(arguments)) == ("lacking", 2) and code in codes:
        missing = dict.fromkeys(lacking(code, texts), "")
        print(json.dumps(missing, ensure_ascii=False, indent=1))
        return int(bool(missing))
    if arguments:
        print(USE)
        return 2
    return max(_reported(code, lacking(code, texts)) for code in codes)


def lacking(code: str, texts: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The texts that a language has no translation of, with where they stand."""
    return {
        text: place
        for file, those in texts.items()
        for known in (read(FOLDER / file.format(code)),)
        for text, place in those.items()
        if text not in known
    }


def _reported(code: str, missing: Mapping[str, str]) -> int:
    print(f"{code}: {len(missing)} lacking")
    for text, place in list(missing.items())[:5]:
        print(f"   {place}: {text[:100]!r}")
    return int(bool(missing))


def read(file: Path) -> dict[str, str]:
    """The translations in a file; none where there is no such file yet."""
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def write(file: Path, texts: Mapping[str, str], more: Mapping[str, str]) -> None:
    """The translations of the texts that there are, in their order; those of texts that are gone are left out."""
    known = {**read(file), **{text: said for text, said in more.items() if said}}
    lines = [f"{_quoted(text)} = {_quoted(known[text])}" for text in texts if text in known]
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
