"""Settings that other tools wrote into a picture are understood, and what can't be followed is told."""

from __future__ import annotations

import inspect
import io
import json
from typing import Any

import diffusers
import pytest
from PIL import Image

from shared.errors import InvalidRequest
from shared.media.restoring import Restored, restore
from shared.media.samplers import table
from tests.support.pictures import A1111_TEXT, chunk, comfyui_png, encoded, graph, png_with, png_with_chunk

LIGHTHOUSE = Restored(
    source="a1111",
    prompt="a lighthouse at dusk, (storm:1.2), oil on canvas\n<lora:coast:0.7>",
    negative_prompt="blurry, lowres,\nextra fingers",
    width=512,
    height=768,
    num_inference_steps=28,
    guidance_scale=6.5,
    scheduler="DPMSolverMultistepScheduler",
    seed=3141592653,
    model="coast_v2",
)


def a1111(text: str) -> Restored:
    return restore(png_with(parameters=text))


def without_ignored(found: Restored) -> Restored:
    return Restored(**{**found.__dict__, "ignored": ()})


def test_a1111s_settings_are_read_and_the_rest_is_told() -> None:
    found = a1111(A1111_TEXT)
    assert without_ignored(found) == LIGHTHOUSE
    told = "\n".join(found.ignored)
    for words in ("Karras", "Clip skip: 2", "Hires upscale: 2", "Denoising strength: 0.4", "(word:1.2)"):
        assert words in told, words
    assert "Version" not in told and "Lora hashes" not in told
    assert '[{"type":"lora"' in told, "a value with commas in it is one value"


@pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le", "utf-16"])
@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_a1111s_settings_are_read_from_a_users_comment(form: str, order: str) -> None:
    exif = Image.Exif()
    exif[0x8769] = {0x9286: b"UNICODE\0" + A1111_TEXT.encode(order)}
    assert without_ignored(restore(encoded(form, exif=exif))) == LIGHTHOUSE


@pytest.mark.parametrize("before", [b"ASCII\0\0\0", b"\0" * 8, b""])
def test_a_users_comment_of_eight_bits_is_read(before: bytes) -> None:
    exif = Image.Exif()
    exif[0x8769] = {0x9286: before + A1111_TEXT.encode()}
    assert without_ignored(restore(encoded("JPEG", exif=exif))) == LIGHTHOUSE


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("accent", ["é", "獅子"])
def test_every_kind_of_text_chunk_is_read(zipped: bool, accent: str) -> None:
    found = restore(png_with(zipped, parameters=f"a {accent}\nSteps: 4, Sampler: Euler, Seed: 1"))
    assert (found.prompt, found.num_inference_steps) == (f"a {accent}", 4)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("Steps: 20, Sampler: DPM++ 2M Karras", "scheduler", "DPMSolverMultistepScheduler"),
        ("Steps: 20, Sampler: euler A", "scheduler", "EulerAncestralDiscreteScheduler"),
        ("Steps: 20, Sampler: Magic", "scheduler", None),
        ("Steps: 20, CFG scale: 1, Distilled CFG Scale: 3.5", "guidance_scale", 3.5),
        ("Steps: 20, Size: 512x", "height", None),
        ("Steps: 20, Size: 100000x512", "width", None),
        ("Steps: 20, Size: 100000x512", "height", 512),
        ("Steps: 20, Seed: -1", "seed", None),
        ("Steps: 20, Seed: 1, Variation seed: 4, Variation seed strength: 0.2", "variation_seed", 4),
        ("Steps: 20, Seed: 1, Variation seed: 4, Variation seed strength: 0.2", "variation_strength", 0.2),
        ("Steps: 20, Seed: 1, Variation seed strength: 2", "variation_strength", None),
        ("Steps: 20, Seed: 99999999999999999999999999999999999999", "seed", None),
        ("Steps: 20, CFG scale: nan", "guidance_scale", None),
        ("Steps: 20, CFG scale: 1e999", "guidance_scale", None),
        ("Steps: 9999", "num_inference_steps", None),
        ("Steps: 20.5", "num_inference_steps", None),
        ("Steps: 20, Model: \"a, b: c\"", "model", "a, b: c"),
        ('Steps: 20, Note: "never closed, Seed: 4', "seed", 4),
        ("Steps: 20, Note: [never closed, Seed: 4", "seed", 4),
        ("Steps: 20, , ,: x, odd, Seed: 4", "seed", 4),
        ("Steps: 20, Denoising strength: 0.6", "strength", 0.6),
    ],
)  # fmt: skip
def test_values_of_a_settings_line(line: str, name: str, value: Any) -> None:
    found = a1111(f"a cat\n{line}")
    assert found.prompt == "a cat" and getattr(found, name) == value
    if value is None:
        assert found.ignored, "what is left out is told"


@pytest.mark.parametrize(
    ("text", "prompt", "negative"),
    [
        ("just words, and more: words", "just words, and more: words", None),
        ("a\r\nNegative prompt: b\r\nSteps: 3, Seed: 1", "a", "b"),
        ("Negative prompt: b\nSteps: 3, Seed: 1", "", "b"),
        ("Steps: 3, Seed: 1", "", None),
        ("Steps: 1 is my prompt\nSteps: 3, Seed: 1\nTemplate: {a|b}", "Steps: 1 is my prompt", None),
        ("a\x00\x1b[31mb\x7f\nSteps: 3", "a[31mb", None),
    ],
)
def test_where_prompt_and_negative_prompt_end(text: str, prompt: str, negative: str | None) -> None:
    body = b"parameters\0" + text.encode("latin-1")
    found = restore(png_with_chunk(b"tEXt", body))
    assert (found.prompt, found.negative_prompt) == (prompt, negative)


def comfyui(**changes: dict[str, Any]) -> Restored:
    return restore(comfyui_png(graph(**changes)))


BOTTLE = Restored(
    source="comfyui",
    prompt="a glass bottle, a galaxy in it",
    negative_prompt="text, watermark",
    width=512,
    height=768,
    num_inference_steps=20,
    guidance_scale=8.0,
    scheduler="EulerDiscreteScheduler",
    seed=42,
    model="v1-5-pruned-emaonly",
)


def test_comfyuis_first_example_is_read() -> None:
    assert comfyui(n3={"seed": 42}) == BOTTLE


def test_a_graph_by_itself_or_in_a_webp_is_read_too() -> None:
    nodes = json.dumps(graph(n3={"seed": 42}))
    assert restore(nodes.encode()) == BOTTLE
    exif = Image.Exif()
    exif[0x0110] = f"prompt:{nodes}"
    assert restore(encoded("WEBP", exif=exif)) == BOTTLE


def test_a_seed_larger_than_ours_is_told() -> None:
    found = comfyui()
    assert found.seed is None and "seed: 156680208700286 (seed must be between" in found.ignored[0]


def test_links_to_values_are_followed() -> None:
    found = comfyui(
        n3={"seed": ["20", 0], "steps": ["21", 0]},
        n6={"text": ["22", 0]},
        n20={"value": 11},
        n21={"value": ["23", 0]},
        n22={"string": "a whale"},
        n23={"int": 9},
    )
    assert (found.seed, found.num_inference_steps, found.prompt) == (11, 9, "a whale")


def test_texts_are_kept_apart_behind_a_node_that_takes_both() -> None:
    both = {"positive": ["6", 0], "negative": ["7", 0], "control_net": ["31", 0], "strength": 0.8}
    found = comfyui(n3={"seed": 42, "positive": ["30", 0], "negative": ["30", 1]}, n30=both)
    assert (found.prompt, found.negative_prompt) == (BOTTLE.prompt, BOTTLE.negative_prompt)


def test_several_texts_are_put_together() -> None:
    found = comfyui(
        n3={"positive": ["30", 0]},
        n30={"conditioning_1": ["6", 0], "conditioning_2": ["32", 0]},
        n32={"text_g": "a forest", "text_l": "a forest", "clip": ["4", 1]},
    )
    assert found.prompt == "a glass bottle, a galaxy in it\na forest"


def test_of_two_passes_the_first_is_taken() -> None:
    second = {**graph()["3"]["inputs"], "seed": 2, "steps": 99, "denoise": 0.5, "latent_image": ["3", 0]}
    nodes = graph(n3={"seed": 42}, n1=second)
    nodes["1"]["class_type"] = "KSampler"
    found = restore(comfyui_png(nodes))
    assert without_ignored(found) == BOTTLE and "2 samplers" in found.ignored[0]


def test_a_samplers_parts_are_found() -> None:
    """FLUX's graph: noise, guider, sampler and spacing are nodes of their own, and the guidance lies on the way."""
    nodes = {
        "13": (
            "SamplerCustomAdvanced",
            {
                **{"noise": ["25", 0], "guider": ["22", 0], "sampler": ["16", 0], "sigmas": ["17", 0]},
                "latent_image": ["27", 0],
            },
        ),
        "25": ("RandomNoise", {"noise_seed": 77}),
        "22": ("BasicGuider", {"model": ["30", 0], "conditioning": ["26", 0]}),
        "26": ("FluxGuidance", {"guidance": 3.5, "conditioning": ["6", 0]}),
        "6": ("CLIPTextEncode", {"text": "a heron", "clip": ["11", 0]}),
        "16": ("KSamplerSelect", {"sampler_name": "heun"}),
        "17": ("BasicScheduler", {"scheduler": "beta", "steps": 24, "denoise": 1, "model": ["30", 0]}),
        "27": ("EmptySD3LatentImage", {"width": 1024, "height": 640}),
        "30": ("ModelSamplingFlux", {"width": 512, "height": 512, "model": ["12", 0]}),
        "12": ("UNETLoader", {"unet_name": "flux\\flux1-dev.safetensors"}),
        "11": ("DualCLIPLoader", {"clip_name1": "t5xxl.safetensors"}),
    }
    found = restore(comfyui_png({id: {"class_type": kind, "inputs": inputs} for id, (kind, inputs) in nodes.items()}))
    assert without_ignored(found) == Restored(
        source="comfyui",
        prompt="a heron",
        width=1024,
        height=640,
        num_inference_steps=24,
        guidance_scale=3.5,
        scheduler="HeunDiscreteScheduler",
        seed=77,
        model="flux1-dev",
    )
    assert found.ignored == ("scheduler: beta (the spacing of steps is the model's own here)",)


def test_our_own_text_goes_before_the_others() -> None:
    ours = json.dumps({"request": {"prompt": "ours"}, "receipt": {}})
    found = restore(png_with(parameters="theirs", genai_playground=ours, prompt=json.dumps(graph())))
    assert (found.source, found.prompt) == ("playground", "ours")


@pytest.mark.parametrize("where", ["before", "after"])
def test_texts_before_and_behind_the_pixels_are_read(where: str) -> None:
    plain, body = encoded(), chunk(b"tEXt", b"parameters\0a cat\nSteps: 3")
    at = 33 if where == "before" else len(plain) - 12
    assert restore(plain[:at] + body + plain[at:]).prompt == "a cat"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_says_nothing_is_told(form: str) -> None:
    with pytest.raises(InvalidRequest, match="doesn't say how it was made"):
        restore(encoded(form))


@pytest.mark.parametrize("tool", ["a1111", "comfyui"])
def test_every_scheduler_in_the_table_is_one_of_diffusers(tool: str) -> None:
    for name in set(table()[tool].values()):
        assert inspect.isclass(getattr(diffusers, name)), name


def test_pillow_reads_what_the_tests_make() -> None:
    with Image.open(io.BytesIO(comfyui_png(graph()))) as image:
        assert "KSampler" in image.text["prompt"]  # type: ignore[attr-defined]
