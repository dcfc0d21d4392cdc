"""What an engine gets of a request: the model's own values where nothing is set, and nothing that it can't follow."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.backends import BACKENDS, get_backend
from shared.backends.base import Capabilities
from shared.catalog import ModelSpec, Variant
from shared.errors import InvalidRequest
from shared.machine import Machine
from shared.requests import ChatRequest, Request
from shared.trimming import without_pictures

_LISTS = frozenset({"stop", "speakers", "shots"})  # fields of requests that are empty, not None, where nothing is set


def followed(
    request: Request, spec: ModelSpec, variant: Variant, machine: Machine, capabilities: Capabilities
) -> tuple[Request, dict[str, str]]:
    """The request as this engine gets it here, and the reason for each setting that it can't follow."""
    return honour(
        with_defaults(request, own_values(spec, variant, machine), capabilities), request, variant, capabilities
    )


def own_values(spec: ModelSpec, variant: Variant, machine: Machine) -> Mapping[str, Any]:
    """What a request gets where it leaves a setting open: the model's own values, or those that suit the machine."""
    usual: Any = getattr(get_backend(variant.backend), "usual", None)
    return {**spec.defaults, **(usual(variant, machine) if usual else {})}


def with_defaults(request: Request, defaults: Mapping[str, Any], capabilities: Capabilities) -> Request:
    """The model's own defaults where the person set nothing, and a seed, so that the run can be repeated."""
    own = {name: value for name, value in defaults.items() if name not in request.derived}
    unset = {name: value for name, value in own.items() if getattr(request, name, None) is None}
    unset = {name: value for name, value in unset.items() if name in capabilities.parameters}
    if request.seed is None and capabilities.seed != "none":
        unset["seed"] = secrets.randbelow(2**31)
    request = replace(request, **unset)
    return replace(request, **request.implied(capabilities.parameters))


def honour(
    request: Request, asked: Request, variant: Variant, capabilities: Capabilities
) -> tuple[Request, dict[str, str]]:
    """The request without what the engine can't follow, and the reason for each setting so dropped."""
    label = BACKENDS[variant.backend].label
    for name, deed in asked.ESSENTIAL.items():
        if getattr(asked, name) not in (None, ()) and (why := capabilities.reason(name, label)):
            raise InvalidRequest(f"This engine can't {deed}: {why} Choose another engine, or leave that out.")
    reasons = {name: capabilities.reason(name, label) for name in asked.settings()}
    dropped = {name: reason for name, reason in reasons.items() if reason is not None}
    dropped = {**asked.idle(), **dropped}
    blank: dict[str, Any] = {name: () if name in _LISTS else None for name in dropped}
    if isinstance(request, ChatRequest) and not capabilities.images:
        blank["messages"], left_out = without_pictures(request.messages)
        dropped |= {"pictures": left_out} if left_out else {}
    return replace(request, **blank), dropped
