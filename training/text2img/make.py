"""Makes the text-to-image starter model, from the packages to the model card. Stopped at any time, it goes on later.

    python training/text2img/make.py [--stage data|autoencoder|denoiser|evaluation] [--steps N] [--minutes N]

`work/` beside this file keeps what it has: pictures, checkpoints, logs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
STAGES = ("data", "autoencoder", "denoiser", "evaluation")
sys.path[:0] = [str(HERE), str(HERE.parents[1])]


def main() -> None:
    """Run the stages asked for, in order."""
    from training.stages import parser_of

    parser = parser_of(__doc__, STAGES, 240, "the denoiser")
    parser.add_argument("--autoencoder-steps", type=int, default=4000)
    parser.add_argument("--from-shipped", action="store_true", help="go on from weights/text2img, without its state")
    arguments = parser.parse_args()
    stages = arguments.stage or STAGES
    if "data" in stages:
        data()
    if arguments.from_shipped:
        import denoiser

        denoiser.begin_from(HERE.parents[1] / "weights" / "text2img", WORK)
    if "autoencoder" in stages and not arguments.from_shipped:
        import autoencoder

        autoencoder.train(pictures(), WORK, arguments.autoencoder_steps)
    if "denoiser" in stages:
        import denoiser
        import source

        denoiser.train(WORK, source.captions(WORK), minutes=arguments.minutes)
    if "evaluation" in stages:
        import evaluation

        evaluation.evaluate(WORK)


def data() -> None:
    """Fetch the packages and draw the training pictures, once."""
    import source
    from pictures import everything

    if (WORK / "captions.json").is_file():
        return
    source.fetch(WORK)
    made = list(everything(source.emoji(WORK)))
    numpy.save(WORK / "pictures.npy", numpy.stack([each.pixels for each in made]))
    (WORK / "captions.json").write_text(json.dumps([[list(each.captions), each.weight] for each in made]), "utf-8")


def pictures() -> Any:
    """The training pictures, uint8 (n, 128, 128, 3)."""
    return numpy.load(WORK / "pictures.npy")


if __name__ == "__main__":
    main()
