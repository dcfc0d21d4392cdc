"""The starter model through the chat Space's HTTP API, against the raw engine; and eight people against one."""

from __future__ import annotations

import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import chat, give, row, space

from shared.backends.llama.parameters import server_parameters
from shared.backends.local.threads import share_cores
from shared.catalog import load_catalog
from shared.settings import from_environment
from shared.starter import locate
from shared.starter.reencode import as_q8_0

TOKENS = 256  # of an answer; all eight people's go on that long, so that eight are at it nearly all the time
ROUNDS = 7
PEOPLE = 8
WHO = "a lighthouse", "a baker", "a whale", "a train", "a violin", "a glacier", "a clock", "a garden"
SETTINGS: dict[str, Any] = {"temperature": 0.0, "top_p": 0.9, "repetition_penalty": 1.1}


def prompt(about: str) -> str:
    """A prompt that asks for more than the tokens measured."""
    return f"Tell me a very long story about {about}, with many chapters. Don't stop."


class Raw:
    """xllamacpp by itself, with the file and the settings that the Space gives it."""

    def __init__(self) -> None:
        share_cores()
        import xllamacpp

        spec = load_catalog().get("smollm2-135m")
        variant = spec.variants[0]
        settings = from_environment()
        path = as_q8_0(locate(variant.options["package"], variant.filename or ""), settings.data_dir)
        self._server = xllamacpp.Server(server_parameters(path, {}, variant, settings))

    def run(self, about: str) -> tuple[float, float, int]:
        """Seconds to the first text, seconds in all, and the tokens written."""
        first: list[float] = []
        count = [0]
        begun = time.perf_counter()

        def heard(chunk: dict[str, Any]) -> bool:
            for choice in chunk.get("choices") or []:
                if choice["delta"].get("content"):
                    if not first:
                        first.append(time.perf_counter() - begun)
                    count[0] += 1
            return False

        body = {
            "messages": [{"role": "user", "content": prompt(about)}],
            "stream": True,
            "max_tokens": TOKENS,
            "temperature": SETTINGS["temperature"],
            "top_p": SETTINGS["top_p"],
            "repeat_penalty": SETTINGS["repetition_penalty"],
        }
        self._server.handle_chat_completions(body, heard)
        return first[0], time.perf_counter() - begun, count[0]


def through(port: int, about: str) -> tuple[float, float, int]:
    """The same through the Space."""
    arguments = {"message": prompt(about), "mode": "quantized", "max_tokens": TOKENS, **SETTINGS}
    first, total, last = chat(port, arguments)
    return first, total, int(last["receipt"]["output_tokens"])


def together(port: int) -> float:
    """Tokens a second of eight people at once, all told."""
    tokens: list[int] = []
    threads = [threading.Thread(target=lambda w=who: tokens.append(through(port, w)[2])) for who in WHO[:PEOPLE]]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if tokens != [TOKENS] * PEOPLE:
        raise RuntimeError(f"an answer was lost or short: {tokens}")
    return sum(tokens) / (time.perf_counter() - begun)


def alone(port: int) -> float:
    """Tokens a second of one person."""
    _, total, tokens = through(port, "a river")
    return tokens / total


def main() -> None:
    """The two in turns; each has its model loaded and its prompt seen before."""
    raw = Raw()
    with space() as port:
        raw.run("a river")
        through(port, "a river")
        pairs = [(through(port, "a river"), raw.run("a river")) for _ in range(ROUNDS)]
        speed = statistics.median((s[2] / s[1]) / (r[2] / r[1]) for s, r in pairs)
        added = statistics.median(s[0] - r[0] for s, r in pairs)
        rates = [statistics.median(x[2] / x[1] for x in column) for column in zip(*pairs, strict=True)]
        crowd = [(together(port), alone(port)) for _ in range(3)]
    gain = statistics.median(many / one for many, one in crowd)
    many, one = (statistics.median(column) for column in zip(*crowd, strict=True))
    of = f"median of {ROUNDS} pairs, {TOKENS} tokens"
    pair = f"{of}; {rates[0]:.0f} and {rates[1]:.0f} tokens/s"
    crowd_of = f"median of 3 pairs, {TOKENS} tokens each; {many:.0f} and {one:.0f} tokens/s"
    give(
        [
            row("tokens/s through the Space / raw engine", speed, "times", ">= 0.95", pair),
            row("first token later than the raw engine's", added * 1000, "ms", "<= 50", of),
            row("eight people's tokens/s / one person's", gain, "times", ">= 2", crowd_of),
        ]
    )


if __name__ == "__main__":
    main()
