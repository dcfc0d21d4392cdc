"""What the chosen engine can follow of a Space's settings, and the model's own values for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from shared.backends import BACKENDS, get_backend
from shared.backends.base import Capabilities
from shared.engine import Engine
from shared.errors import InferenceError
from shared.honouring import own_values
from shared.settings import Settings
from shared.tasks import Mode, Task
from shared.ui.model_picker import Picked
from shared.ui.sessions import with_keys


@dataclass(frozen=True)
class Following:
    """An engine by its label, what it can do, and the model's own values."""

    engine: str
    capabilities: Capabilities
    defaults: Mapping[str, Any]

    def reason(self, name: str) -> str | None:
        """Why a request's field is not followed; None where it is."""
        return self.capabilities.reason(name, self.engine)


def following(engine: Engine, task: Task, picked: Picked, settings: Settings) -> Following | None:
    """For what was picked; None where there is no such model, or none of its engines is of that kind."""
    try:
        spec = engine.find(picked.model or "", settings, task)
    except InferenceError:
        return None
    kind = Mode(picked.mode)
    chosen = next(
        (v for v in spec.variants if v.mode == kind and (not picked.variant or v.key == picked.variant)), None
    )
    if chosen is None:
        return None
    return Following(
        BACKENDS[chosen.backend].label,
        get_backend(chosen.backend).capabilities(chosen),
        own_values(spec, chosen, engine.machine),
    )


def values_of(engine: Engine, task: Task, picked: Picked, keys: Any) -> dict[str, Any]:
    """The model's own values for what was picked, as the session with these keys sees it."""
    found = following(engine, task, picked, with_keys(engine.settings, keys))
    return dict(found.defaults) if found else {}


class Fitted:
    """A Space's settings: `controls` by name, each honest about whether the chosen engine can follow it.

    `fit` gives the Gradio properties of a control for what was picked. A panel builds its controls with what
    `fitted` says of the model that is picked first.
    """

    def __init__(
        self, engine: Engine, task: Task, names: Sequence[str], fit: Callable[[str, Following | None], dict[str, Any]]
    ) -> None:
        self._engine, self._task, self._names, self._fit = engine, task, names, fit
        self.controls: dict[str, Any] = {}

    @property
    def inputs(self) -> list[Any]:
        """The controls in the order of their names."""
        return [self.controls[name] for name in self._names]

    def for_engine(self, model: str, mode: str, variant: str | None, settings: Settings) -> list[Any]:
        """An update for each control: greyed out with the reason where the engine can't follow it."""
        return [gr.update(**changes) for changes in self.fitted(Picked(model, mode, variant), settings).values()]

    def fitted(self, picked: Picked, settings: Settings) -> dict[str, dict[str, Any]]:
        """The properties of each control, by name, in their order."""
        found = following(self._engine, self._task, picked, settings)
        return {name: self._fit(name, found) for name in self._names}


class Together:
    """Several sets of controls that follow the choice of an engine as one."""

    def __init__(self, *sets: Any) -> None:
        self._sets = sets

    @property
    def inputs(self) -> list[Any]:
        """The controls of all of them."""
        return [control for each in self._sets for control in each.inputs]

    def for_engine(self, model: str, mode: str, variant: str | None, settings: Settings) -> list[Any]:
        """An update for each control."""
        return [update for each in self._sets for update in each.for_engine(model, mode, variant, settings)]
