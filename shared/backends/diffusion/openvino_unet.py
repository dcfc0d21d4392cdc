"""Puts a U-Net that OpenVINO runs in int8 into a pipeline: traced, calibrated on the pipeline's own steps, kept."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends.local.openvino_export import converted, openvino, quantizer
from shared.errors import BackendError
from shared.events import Progress

if TYPE_CHECKING:
    from shared.settings import Settings
    from shared.streaming import Emit

MODEL_FILE = "unet.xml"
FORMAT = "1"  # raise it when exports change, so that those of older versions are made anew
# What the int8 ranges are measured on: steps of a few drawings.
PROMPTS = ("a red apple", "a house", "two cats", "a blue car", "a flower", "a face")
STEPS = 8


def kept_in(folder: Path, quantization: str, settings: Settings, adapter: str = "") -> Path:
    """Where the export of these very weights is kept."""
    weights = sorted((folder / "unet").glob("*.safetensors"))
    mark = hashlib.sha256(f"{FORMAT} {quantization} {adapter}".rstrip().encode())
    for file in weights:
        stat = file.stat()
        mark.update(f"{file.resolve()} {stat.st_size} {stat.st_mtime_ns}".encode())
    return settings.data_dir / "converted" / f"{folder.name}-unet-{quantization}-{mark.hexdigest()[:12]}"


def put_in(pipe: Any, folder: Path, quantization: str, settings: Settings, emit: Emit, adapter: str = "") -> None:
    """Replace the pipeline's U-Net. Raises `BackendError` for a pipeline that has none.

    `adapter`: what marks the adapter in its weights.
    """
    unet = getattr(pipe, "unet", None)
    if type(unet).__name__ != "UNet2DConditionModel" or getattr(pipe, "text_encoder_2", None) is not None:
        raise BackendError("This model can't be quantized for OpenVINO here. Choose diffusers for it.")
    kept = kept_in(folder, quantization, settings, adapter)
    if not (kept / MODEL_FILE).is_file():
        emit(Progress("Preparing the model for OpenVINO in int8; this takes a minute or more, and is done once"))
        _write(_quantized(pipe, unet, emit), kept)
    emit.check()
    pipe.unet = _runner(kept / MODEL_FILE, unet, settings.threads)


def _quantized(pipe: Any, unet: Any, emit: Emit) -> Any:
    import torch

    seen: list[Any] = []
    with _watched(unet, seen):
        for number, prompt in enumerate(PROMPTS):
            emit(Progress("Measuring the model's ranges", number, len(PROMPTS)))
            noise = torch.Generator("cpu").manual_seed(number)
            pipe(prompt, num_inference_steps=STEPS, generator=noise, output_type="latent")
    emit(Progress("Quantizing the model"))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of every branch
        graph = converted(_flat(unet), seen[0])
    channels, width = unet.config.in_channels, unet.config.cross_attention_dim
    graph.reshape({0: [-1, channels, -1, -1], 1: [], 2: [-1, -1, width]})
    emit.check()
    samples = [tuple(value.numpy() for value in each) for each in seen]
    with quantizer() as nncf:
        kind = nncf.ModelType.TRANSFORMER
        return nncf.quantize(graph, nncf.Dataset(samples), subset_size=len(samples), model_type=kind)


@contextlib.contextmanager
def _watched(unet: Any, seen: list[Any]) -> Iterator[None]:
    """Collect what the U-Net is called with: latents, time, the words' encoding."""

    def watch(module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        seen.append((given[0], given[1].float(), named["encoder_hidden_states"]))

    handle = unet.register_forward_pre_hook(watch, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def _flat(unet: Any) -> Any:
    import torch

    class Flat(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        """The U-Net with positional arguments and one output, as a tracer wants it."""

        def __init__(self) -> None:
            super().__init__()
            self.unet = unet

        def forward(self, sample: Any, timestep: Any, words: Any) -> Any:
            return self.unet(sample, timestep, words, return_dict=False)[0]

    return Flat().eval()


def _write(graph: Any, kept: Path) -> None:
    """Whole or not at all: a run that is stopped leaves no half of it."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as made:
        openvino().save_model(graph, Path(made) / MODEL_FILE, compress_to_fp16=False)
        with contextlib.suppress(OSError):  # another process was quicker
            Path(made).chmod(0o755)
            Path(made).rename(kept)
            Path(made).mkdir()


def _runner(file: Path, unet: Any, threads: int | None) -> Any:
    import torch
    from diffusers.configuration_utils import ConfigMixin
    from diffusers.models.modeling_utils import ModelMixin

    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "CPU_RUNTIME_CACHE_CAPACITY": "0"}
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    request = openvino().Core().compile_model(str(file), "CPU", options).create_infer_request()

    class OpenVinoUNet(ModelMixin, ConfigMixin):  # type: ignore[misc, unused-ignore]
        """What a pipeline asks of a U-Net, answered by OpenVINO."""

        config_name: Any = "config.json"

        def __init__(self) -> None:
            torch.nn.Module.__init__(self)
            remember: Any = self.register_to_config
            remember(**dict(unet.config))
            self.register_buffer("place", torch.zeros(()))  # from which its device and precision are read

        def forward(
            self, sample: Any, timestep: Any, encoder_hidden_states: Any, return_dict: bool = True, **others: Any
        ) -> Any:
            given = sample.float().numpy(), timestep.float().reshape(()).numpy(), encoder_hidden_states.float().numpy()
            request.infer({0: given[0], 1: given[1], 2: given[2]})
            out = torch.from_numpy(request.get_output_tensor(0).data.copy())
            return {"sample": out} if return_dict else (out,)

    return OpenVinoUNet()
