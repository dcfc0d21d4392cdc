"""The image starter, animated: diffusers' own pipeline, with the words' sum that its U-Net would leave out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from shared.backends.diffusion.animation import CODES, PHRASES, SHARED_NOISE, Motions, animated_starter, motion_unet
from shared.errors import CorruptWeights
from tests.support import tiny_pipelines

# diffusers 0.42 makes arrays of tensors in a way that numpy 2 is about to drop
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
FRAMES = 3


def adapter(*, still: bool = False) -> Any:
    """A motion module for the tiny U-Net. `still`: it adds nothing, as an untrained one."""
    import torch
    from diffusers import MotionAdapter

    torch.manual_seed(0)
    made = MotionAdapter(
        block_out_channels=(16, 32), motion_layers_per_block=1, motion_num_attention_heads=2, motion_norm_num_groups=8,
        motion_max_seq_length=8, motion_transformer_layers_per_block=(0, 1),
    )  # fmt: skip
    for name, value in made.named_parameters():
        if still and "proj_out" in name:
            torch.nn.init.zeros_(value)
    return made


@pytest.fixture(scope="module")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny image model of the starter's kind: its words' sum adds to the time."""
    more = {"addition_embed_type": "text", "addition_embed_type_num_heads": 4}
    return tiny_pipelines.stable_diffusion(tmp_path_factory.mktemp("images") / "tiny", more=more)


@pytest.fixture
def motion_folder(tmp_path: Path) -> Path:
    """A motion module and two words, as the project keeps them."""
    import torch
    from safetensors.torch import save_file

    adapter().save_pretrained(tmp_path)
    codes = torch.randn(2, 8, tiny_pipelines.WIDE).half()
    save_file({"bouncing": codes[0].clone(), "left": codes[1].clone()}, tmp_path / CODES)
    phrases = {"bouncing": ["bouncing"], "left": ["moving to the left", "moving left"]}
    (tmp_path / PHRASES).write_text(json.dumps(phrases), "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("prompt", "rest", "named"),
    [
        ("a red apple bouncing", "a red apple", ["bouncing"]),
        ("A cat, Moving to the LEFT.", "A cat", ["left"]),
        ("a cat that is moving left and bouncing", "a cat", ["left", "bouncing"]),
        ("a bouncing ball", "a ball", ["bouncing"]),
        ("an unbouncing cat on the left", "an unbouncing cat on the left", []),
        ("", "", []),
    ],
)
def test_motions_are_looked_up_and_the_rest_is_read(prompt: str, rest: str, named: list[str]) -> None:
    motions = Motions({"bouncing": ["bouncing"], "left": ["moving to the left", "moving left"]}, {})
    assert motions.split(prompt) == (rest, named)


def test_a_module_that_adds_nothing_leaves_each_frame_to_the_image_model(image_folder: Path) -> None:
    import torch
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(image_folder / "unet")
    moving = motion_unet(unet, adapter(still=True), read=5)
    clips, times = torch.randn(2, 4, FRAMES, 16, 16), torch.tensor([700, 20])
    told, code = torch.randn(2, 5, tiny_pipelines.WIDE), torch.randn(2, 8, tiny_pipelines.WIDE)

    def with_code(words: Any) -> Any:
        return torch.cat([words, code], 1).repeat_interleave(FRAMES, 0)

    with torch.no_grad():
        drawn = moving(clips, times, encoder_hidden_states=with_code(told)).sample
        alone = [unet(clips[:, :, i], times, encoder_hidden_states=told).sample for i in range(FRAMES)]
        other = moving(clips, times, encoder_hidden_states=with_code(-told)).sample
    assert torch.allclose(drawn, torch.stack(alone, 2), atol=1e-5)
    assert not torch.allclose(drawn, other, atol=1e-3)


def test_it_draws_frames_by_diffusers_own_pipeline_and_knows_its_words(image_folder: Path, motion_folder: Path) -> None:
    import torch
    from diffusers import AnimateDiffPipeline

    pipe = animated_starter(image_folder, motion_folder)
    assert isinstance(pipe, AnimateDiffPipeline)

    def draw(text: str) -> Any:
        noise = torch.Generator().manual_seed(1)
        made = pipe(
            text, num_frames=FRAMES, height=32, width=32, num_inference_steps=2, guidance_scale=2.0, generator=noise,
            output_type="np",
        )  # fmt: skip
        return made.frames[0]

    first = draw("a cat bouncing")
    assert first.shape == (FRAMES, 32, 32, 3)
    assert numpy.array_equal(first, draw("a cat, bouncing"))
    assert not numpy.array_equal(first[0], first[1])
    assert not numpy.array_equal(first, draw("a cat moving left"))
    assert not numpy.array_equal(first, draw("a cat"))


def test_frames_begin_from_noise_that_they_share_in_part(image_folder: Path, motion_folder: Path) -> None:
    import torch

    pipe = animated_starter(image_folder, motion_folder)
    seeded = torch.Generator().manual_seed(0)
    args = (1, 4, 4, 64, 64, torch.float32, torch.device("cpu"), seeded)
    noise = pipe.prepare_latents(*args, None)[0].transpose(0, 1).flatten(1)
    likeness = torch.corrcoef(noise)
    assert abs(float(noise.std()) - 1) < 0.05
    assert all(abs(float(likeness[i, j]) - SHARED_NOISE) < 0.1 for i in range(4) for j in range(i))
    given = torch.randn(1, 4, 4, 32, 32)
    assert torch.equal(pipe.prepare_latents(*args, given), given)


def test_what_lacks_a_part_or_is_a_pickle_is_refused(image_folder: Path, motion_folder: Path) -> None:
    pickle = motion_folder / "diffusion_pytorch_model.bin"
    pickle.write_bytes(b"")
    with pytest.raises(CorruptWeights, match="pickle"):
        animated_starter(image_folder, motion_folder)
    pickle.unlink()
    (motion_folder / PHRASES).write_text("{}", "utf-8")
    with pytest.raises(CorruptWeights, match="fit together"):
        animated_starter(image_folder, motion_folder)
    (motion_folder / CODES).unlink()
    with pytest.raises(CorruptWeights, match=CODES):
        animated_starter(image_folder, motion_folder)
