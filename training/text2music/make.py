"""Makes the music starter model, from the packages to the model card. Stopped at any time, it goes on later.

    python training/text2music/make.py [--stage data|model|evaluation] [--minutes N]

`work/` beside this file keeps what it has: the corpus, checkpoints, logs.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
STAGES = ("data", "model", "evaluation")
sys.path[:0] = [str(HERE), str(HERE.parents[1])]


def main() -> None:
    """Run the stages asked for, in order."""
    from training.stages import parser_of

    arguments = parser_of(__doc__, STAGES, 120, "the model's training").parse_args()
    stages = arguments.stage or STAGES
    if "data" in stages:
        data()
    if "model" in stages:
        import model

        model.train(WORK, minutes=arguments.minutes)
    if "evaluation" in stages:
        import evaluation

        evaluation.evaluate(WORK)


def data() -> None:
    """Fetch the packages and write the corpus, once."""
    import corpus
    import source

    if not (WORK / "corpus.json").is_file():
        source.fetch(WORK)
        corpus.build(WORK / "corpus", WORK)


if __name__ == "__main__":
    main()
