"""Reads settings from ComfyUI's graph: from a sampler along its links to the texts, the size and the model.

The graph is JSON: `{"3": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["6", 0], ...}}, ...}`, where a
list of two is a link to another node. Anybody may have written it: links may lead nowhere, or round in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.errors import InvalidRequest
from shared.media.fields import Fields
from shared.media.samplers import is_usual, scheduler_class

_MAX_NODES = 5000
_MAX_SAMPLERS = 20
_TEXTS = ("text", "text_g", "text_l", "clip_l", "t5xxl", "prompt", "string", "value")
_MODELS = ("ckpt_name", "unet_name", "model_name")
# Where the value behind a link may stand in the node that it leads to.
_VALUES = ("value", "seed", "noise_seed", "int", "float", "string", "text", "steps", "scheduler", "sampler_name")
# Inputs that lead on from a sampler's own inputs to what they are made of (SamplerCustomAdvanced's parts).
_PARTS = ("noise", "guider", "sampler", "sigmas")


def is_graph(graph: Any) -> bool:
    """Whether the JSON has the form of a ComfyUI graph."""
    return isinstance(graph, dict) and any(isinstance(n, dict) and "class_type" in n for n in graph.values())


def read(graph: Any, found: Fields) -> None:
    """Read the graph into `found`. Raises `InvalidRequest` where it has no sampler."""
    if not is_graph(graph) or len(graph) > _MAX_NODES:
        raise InvalidRequest("The ComfyUI graph in this file can't be read. Type the settings in instead.")
    nodes = Nodes(graph)
    samplers = [id for id, inputs in nodes.inputs.items() if _is_sampler(nodes.kinds[id], inputs)]
    if not samplers:
        raise InvalidRequest("The ComfyUI graph in this file has no sampler to read settings from. Type them in.")
    # The first pass is the one whose latent comes from no other sampler.
    some = samplers[:_MAX_SAMPLERS]
    first = [id for id in some if not nodes.behind(id, "latent_image") & set(samplers) - {id}] or samplers
    if len(samplers) > 1:
        found.note(f"the graph has {len(samplers)} samplers; the first one's settings were taken")
    _sampler(nodes, first[0], found)


def _is_sampler(kind: str, inputs: dict[str, Any]) -> bool:
    links = ("positive" in inputs and "model" in inputs) or "guider" in inputs
    return links and "latent_image" in inputs and ("Sampler" in kind or "sampler_name" in inputs)


def _sampler(nodes: Nodes, sampler: str, found: Fields) -> None:
    texts = {role: nodes.texts(sampler, role) for role in ("positive", "negative")}
    found.text("prompt", "\n".join(texts["positive"]))
    if texts["negative"]:
        found.text("negative_prompt", "\n".join(texts["negative"]))
    found.number("seed", nodes.value(sampler, "seed", "noise_seed"))
    found.number("num_inference_steps", nodes.value(sampler, "steps"))
    # FLUX's own guidance is a node on the way to the prompt; its sampler's cfg is then 1.
    guidance = nodes.on_the_way(sampler, "guidance")
    found.number("guidance_scale", nodes.value(sampler, "cfg") if guidance is None else guidance)
    found.number("width", nodes.latent(sampler, "width"))
    found.number("height", nodes.latent(sampler, "height"))
    denoise = nodes.value(sampler, "denoise")
    if denoise != 1:
        found.number("strength", denoise)
    found.text("model", nodes.model(sampler))
    _scheduler(nodes, sampler, found)


def _scheduler(nodes: Nodes, sampler: str, found: Fields) -> None:
    name, spacing = nodes.value(sampler, "sampler_name"), nodes.value(sampler, "scheduler")
    if isinstance(name, str):
        known, _ = scheduler_class("comfyui", name[:100])
        if known:
            found.text("scheduler", known)
        else:
            found.ignore("sampler_name", name)
    if isinstance(spacing, str) and not is_usual(spacing):
        found.ignore("scheduler", spacing, "the spacing of steps is the model's own here")


class Nodes:
    """A graph's nodes by id. Every walk goes to a node once, so circles end."""

    def __init__(self, graph: dict[str, Any]) -> None:
        whole = {id: n for id, n in graph.items() if isinstance(n, dict) and isinstance(n.get("inputs"), dict)}
        self.inputs: dict[str, dict[str, Any]] = {id: node["inputs"] for id, node in whole.items()}
        self.kinds = {id: str(node.get("class_type"))[:200] for id, node in whole.items()}

    def _target(self, value: Any) -> str | None:
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int):
            return str(value[0]) if str(value[0]) in self.inputs else None
        return None

    def _walk(self, node: str, *first: str, role: str | None = None) -> Iterator[str]:
        """The nodes behind these inputs, nearest first. One that has inputs for roles is left by the role's only."""
        waiting = [t for name in first if (t := self._target(self.inputs[node].get(name)))]
        seen = {node}
        while waiting:
            at = waiting.pop(0)
            if at in seen:
                continue
            seen.add(at)
            yield at
            inputs = self.inputs[at]
            onward = [role] if role and role in inputs else [n for n in inputs if n not in ("clip", "vae", "model")]
            waiting += [t for name in onward if (t := self._target(inputs[name]))]

    def behind(self, node: str, name: str) -> set[str]:
        """Every node that the input is made of."""
        return set(self._walk(node, name))

    def value(self, node: str, *names: str) -> Any:
        """The sampler's value by one of the names: its own, or one of its parts'. Links to a value are followed."""
        holders = [node, *self._walk(node, *(p for p in _PARTS if p in self.inputs[node]))]
        for holder in holders:
            for name in names:
                if name in self.inputs[holder]:
                    return self._literal(self.inputs[holder][name])
        return None

    def _literal(self, value: Any) -> Any:
        for _ in range(20):
            target = self._target(value)
            if target is None:
                return None if isinstance(value, list | dict) else value
            value = next((self.inputs[target][n] for n in _VALUES if n in self.inputs[target]), None)
        return None

    def texts(self, sampler: str, role: str) -> list[str]:
        """The texts of the nearest nodes with any that the role's input leads to."""
        holders = [sampler, *self._walk(sampler, "guider")]
        start = next((h for h in holders if role in self.inputs[h]), None)
        name = role
        if start is None and role == "positive":
            start, name = next((h for h in holders if "conditioning" in self.inputs[h]), None), "conditioning"
        found: dict[str, None] = {}
        for node in self._walk(start, name, role=role) if start else ():
            if "ConditioningZeroOut" in self.kinds[node]:
                return []
            if "clip" in self.inputs[node] or "TextEncode" in self.kinds[node]:
                values = (self._literal(self.inputs[node].get(n)) for n in _TEXTS)
                found |= {v.strip(): None for v in values if isinstance(v, str) and v.strip()}
        return list(found)

    def on_the_way(self, sampler: str, name: str) -> Any:
        """A value that a node between the sampler and its prompt holds."""
        ways = self._walk(sampler, "positive", "guider", role="positive")
        return next((self._literal(self.inputs[n][name]) for n in ways if name in self.inputs[n]), None)

    def latent(self, sampler: str, name: str) -> Any:
        """The empty latent's width or height."""
        nodes = self._walk(sampler, "latent_image")
        sized = (n for n in nodes if "Latent" in self.kinds[n] and name in self.inputs[n])
        return next((self._literal(self.inputs[n][name]) for n in sized), None)

    def model(self, sampler: str) -> str | None:
        """The name of the model's file, without its folder and ending."""
        waiting, seen = [sampler], {sampler}
        while waiting:
            inputs = self.inputs[waiting.pop(0)]
            name = next((inputs[n] for n in _MODELS if isinstance(inputs.get(n), str)), None)
            if name:
                return str(name).replace("\\", "/").rpartition("/")[2].removesuffix(".safetensors")[:200]
            for onward in ("model", "guider"):
                target = self._target(inputs.get(onward))
                if target and target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return None
