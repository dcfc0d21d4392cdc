"""Makes the video starter's motion module, from the packages to the model card. Stopped at any time, it goes on later.

    python training/text2video/make.py [--stage data|module|evaluation] [--minutes N]

It moves the image starter's pictures, and uses what made that (`training/text2img`). `work/` beside this file keeps
what it has: the clips' latents, checkpoints, logs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK, IMAGES = HERE / "work", HERE.parent / "text2img"
IMAGE_WEIGHTS = HERE.parents[1] / "weights" / "text2img"
STAGES = ("data", "module", "evaluation")
sys.path[:0] = [str(HERE), str(IMAGES), str(HERE.parents[1])]


def main() -> None:
    """Run the stages asked for, in order."""
    from training.stages import parser_of

    arguments = parser_of(__doc__, STAGES, 90, "the module's training").parse_args()
    stages = arguments.stage or STAGES
    if "data" in stages:
        data()
    if "module" in stages:
        import module

        module.train(WORK, IMAGE_WEIGHTS, minutes=arguments.minutes)
    if "evaluation" in stages:
        import report

        report.evaluate(WORK, IMAGE_WEIGHTS, IMAGES / "work")


def data() -> None:
    """Fetch the packages and write the clips' latents and captions, once."""
    import clips
    import module
    import source
    import torch
    from diffusers import AutoencoderTiny
    from safetensors.torch import save_file

    if (WORK / "clips.json").is_file():
        return
    WORK.mkdir(parents=True, exist_ok=True)
    source.fetch(IMAGES / "work")
    vae = AutoencoderTiny.from_pretrained(IMAGE_WEIGHTS / "vae", dtype=torch.float32)
    latents, told = [], []
    for clip in clips.everything(source.emoji(IMAGES / "work")):
        latents.append(module.encode(vae, clip.pixels))
        told.append([list(clip.things), clip.motion])
    save_file({"latents": torch.stack(latents)}, WORK / "clips.safetensors")
    (WORK / "clips.json").write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    main()
