"""Small pictures for tests, and the texts that other tools write into theirs."""

from __future__ import annotations

import io
import json
import struct
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

A1111_TEXT = """a lighthouse at dusk, (storm:1.2), oil on canvas
<lora:coast:0.7>
Negative prompt: blurry, lowres,
extra fingers
Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 3141592653, Size: 512x768, Model hash: 0123abcdef, Model: coast_v2, Denoising strength: 0.4, Clip skip: 2, Hires upscale: 2, Hires steps: 12, Hires upscaler: Latent, Lora hashes: "coast: 1f2e, sea: 3d4c", Civitai resources: [{"type":"lora","weight":0.7,"name":"coast, v2"}], Version: v1.10.1"""  # noqa: E501


def pixels(width: int = 40, height: int = 24, mode: str = "RGB") -> Image.Image:
    """A picture in which no two pixels near each other are alike."""
    colours = [(x * 6 % 256, y * 9 % 256, (x * y) % 256) for y in range(height) for x in range(width)]
    image = Image.new("RGB", (width, height))
    image.putdata(colours)
    return image.convert(mode)


def encoded(form: str = "PNG", image: Image.Image | None = None, **options: Any) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    (image or pixels()).save(buffer, form, **options)
    return buffer.getvalue()


def png_with(zipped: bool = False, **texts: str) -> bytes:
    """A PNG with these texts in it, as Pillow writes them."""
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name, text, zip=zipped)
    return encoded(pnginfo=info)


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with_chunk(kind: bytes, body: bytes, whole: bytes | None = None) -> bytes:
    """A PNG with one more chunk behind its header."""
    whole = whole or encoded()
    return whole[:33] + chunk(kind, body) + whole[33:]


def jpeg_with_segment(marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment at its beginning."""
    whole = encoded("JPEG")
    return whole[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + whole[2:]


def graph(**changes: dict[str, Any]) -> dict[str, Any]:
    """The graph that ComfyUI's first example makes, with the inputs of some nodes changed (`n3={"seed": 5}`)."""
    nodes: dict[str, Any] = {
        "3": {
            "class_type": "KSampler",
            "inputs": {
                **{"seed": 156680208700286, "steps": 20, "cfg": 8.0, "sampler_name": "euler", "scheduler": "normal"},
                **{"denoise": 1.0, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0]},
                "latent_image": ["5", 0],
            },
        },
        "4": {
            "class_type": "CheckpointLoaderSimple",
            "inputs": {"ckpt_name": "sd15/v1-5-pruned-emaonly.safetensors"},
            "is_changed": [float("nan")],
        },
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a glass bottle, a galaxy in it", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, watermark", "clip": ["4", 1]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}},
    }
    for name, inputs in changes.items():
        node = nodes.setdefault(name.removeprefix("n"), {"class_type": "Anything", "inputs": {}})
        node["inputs"] = {**node["inputs"], **inputs}
    return nodes


def comfyui_png(nodes: dict[str, Any]) -> bytes:
    """A PNG as ComfyUI saves it."""
    return png_with(prompt=json.dumps(nodes), workflow=json.dumps({"nodes": []}))
