"""Which of the Hub's inference providers runs a model, and how `huggingface_hub` writes its request."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.backends.hosted.frame import HostedCall
from shared.backends.hosted.image_model import ImageCall
from shared.errors import ProviderError, UnknownModel

if TYPE_CHECKING:
    from huggingface_hub.inference._common import RequestParameters

AUTO = "auto"
HUB = "huggingface_hub"  # the Hub's name in `settings.base_urls`, for a mirror
_HUB_URL = "https://huggingface.co"
# Providers whose answers are understood here
_UNDERSTOOD: Mapping[str, frozenset[str]] = {
    "text-to-image": frozenset({"hf-inference", "fal-ai", "together", "replicate", "nscale", "wavespeed", "zai-org"}),
    "image-to-image": frozenset({"hf-inference", "fal-ai", "together", "replicate", "wavespeed"}),
    "text-to-video": frozenset({"fal-ai", "novita", "replicate", "together", "wavespeed"}),
    "image-to-video": frozenset({"fal-ai", "together", "wavespeed"}),
    "text-to-speech": frozenset({"hf-inference", "fal-ai", "together", "replicate", "deepinfra"}),
}


def task_of(call: ImageCall) -> str:
    """The Hub's name for what is asked."""
    return "text-to-image" if call.request.image is None else "image-to-image"


async def choose(call: HostedCall[Any, Any], task: str) -> tuple[str, str]:
    """The provider, and the model's name there, as the Hub has them for this person.

    Raises `UnknownModel` where none does the task with it, `ProviderError`, or what a refusal of the Hub raises.
    """
    model = call.variant.repo_id
    hub = call.settings.base_urls.get(HUB, _HUB_URL).rstrip("/")
    answer = await call.http.get(
        f"{hub}/api/models/{model}",
        params={"expand[]": "inferenceProviderMapping"},
        headers=call.account.headers(),
    )
    answer.raise_for_status()
    wanted = str(call.variant.options.get("provider", AUTO))
    for provider, row in _rows(answer.json(), call):
        fits = row.get("task") == task and row.get("status") == "live" and provider in _UNDERSTOOD[task]
        if fits and wanted in {AUTO, provider}:
            return provider, str(row.get("providerId") or model)
    if wanted == AUTO:
        raise UnknownModel(
            f"None of Hugging Face's providers runs {model} for what is asked, with this key. Choose one from the list."
        )
    raise UnknownModel(
        f"Hugging Face's provider {wanted} doesn't run {model} for what is asked, with this key. "
        "Choose another provider, or a model from the list."
    )


def _rows(body: Any, call: HostedCall[Any, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The providers in the person's own order. The Hub gives them as an object or a list."""
    found = body.get("inferenceProviderMapping") if isinstance(body, dict) else None
    if isinstance(found, dict):
        return [(name, row) for name, row in found.items() if isinstance(row, dict)]
    if isinstance(found, list):
        return [(str(row.get("provider")), row) for row in found if isinstance(row, dict)]
    if isinstance(body, dict):
        return []
    raise ProviderError(call.account.name, "The Hub said nothing of who runs this model. Try again later.")


def request_for(call: ImageCall, provider: str, provider_id: str, seed: int | None) -> RequestParameters:
    """The request in the provider's own form, by `huggingface_hub`, without another question to the Hub."""
    request = call.request
    given: dict[str, Any] = {
        "negative_prompt": request.negative_prompt,
        "num_inference_steps": request.num_inference_steps,
        "guidance_scale": request.guidance_scale,
        "seed": seed,
    }
    if request.image is not None:
        given["prompt"] = request.prompt
    elif (size := call.size) is not None:
        given |= {"width": size.width, "height": size.height}
    inputs = request.prompt if request.image is None else request.image.data
    return written(call, task_of(call), provider, provider_id, inputs, given)


def written(
    call: HostedCall[Any, Any], task: str, provider: str, provider_id: str, inputs: Any, given: Mapping[str, Any]
) -> RequestParameters:
    """A request for the task in the provider's own form; settings that are None are left out."""
    from huggingface_hub.hf_api import InferenceProviderMapping
    from huggingface_hub.inference._providers import PROVIDERS

    mapping = InferenceProviderMapping(  # type: ignore[no-untyped-call]
        provider=provider, hf_model_id=call.variant.repo_id, providerId=provider_id, status="live", task=task
    )
    helper: Any = copy.copy(PROVIDERS[provider][task])  # type: ignore[index]
    helper._prepare_mapping_info = lambda model: mapping
    made: RequestParameters = helper.prepare_request(
        inputs=inputs,
        parameters={name: value for name, value in given.items() if value is not None},
        headers={},
        model=call.variant.repo_id,
        api_key=call.account.reveal(),
    )
    return made


def left_out(
    call: HostedCall[Any, Any],
    made: RequestParameters,
    provider: str,
    names: Sequence[str] = ("negative_prompt", "num_inference_steps", "guidance_scale"),
    does: str = "draws",
) -> dict[str, str]:
    """Settings that the provider's form of request has no place for. `does`: what it does with the model."""
    given = {name: getattr(call.request, name) for name in names}
    sent = _leaves(made.json) if made.json is not None else None
    return {
        name: f"{provider}, which {does} this for Hugging Face, has no such setting."
        for name, value in given.items()
        if value is not None and sent is not None and value not in sent
    }


def _leaves(body: Any) -> list[Any]:
    inner = body.values() if isinstance(body, dict) else body if isinstance(body, list) else None
    return [body] if inner is None else [leaf for each in inner for leaf in _leaves(each)]
