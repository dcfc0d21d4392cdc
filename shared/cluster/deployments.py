"""Models as Ray Serve's deployments: started where nobody has yet, made room for, watched while they start, removed."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from pathlib import Path
from typing import Any

import shared
from shared.backends import BACKENDS
from shared.catalog import Variant
from shared.cluster.config import ClusterConfig, Serving
from shared.cluster.replica import Replica
from shared.errors import ClusterUnavailable
from shared.events import Progress
from shared.machine import GIB, Machine
from shared.settings import Settings, environment_of_nodes
from shared.streaming import Emit

POLL = 0.1  # seconds between looks at a start
NO_ROOM = 20.0  # seconds after which a start that doesn't come is said to wait for room
HEALTH_PERIOD, HEALTH_TIMEOUT = 2.0, 30.0  # seconds between looks at a replica, and for its answer
MEASURE, LOOK_BACK = 1.0, 5.0  # seconds between counts of the runs, and over which they are averaged
DRAIN = 3600.0  # seconds that runs may go on in a replica that is to go
CODE = str(Path(shared.__file__).resolve().parents[1])
TRIES = 5
VERSION = "1"  # of every deployment: what differs has another name
_one_at_a_time = threading.Lock()  # Ray Serve can't describe two deployments at once in one process
_GOING = frozenset({"DELETING", ""})


def name_of(variant: Variant) -> str:
    """The application's name on the cluster: the same for whoever asks for that variant."""
    return f"{variant.backend}-{hashlib.sha256(variant.key.encode()).hexdigest()[:12]}"


def resources(variant: Variant, serving: Serving, config: ClusterConfig, machine: Machine) -> dict[str, float]:
    """What a replica takes of Ray's resources; memory in bytes. A card is shared by what each model needs of it."""
    card = config.gpu_memory_gb if config.address else machine.cuda_gb
    wanted = variant.device in {"auto", "cuda"} and card > 0
    gpus = serving.gpus if serving.gpus is not None else (_share(variant.on_card_gb / card) if wanted else 0.0)
    in_memory = 0.0 if gpus else variant.memory_gb  # the card has the rest then
    memory = (serving.memory_gb if serving.memory_gb is not None else in_memory) * GIB
    return {"num_cpus": serving.cpus, "num_gpus": gpus, "memory": int(memory)}


def _share(part: float) -> float:
    """A part of a card in hundredths; a model larger than a card gets one, and says itself that it doesn't fit."""
    return min(1.0, max(0.01, round(part + 0.005, 2)))


def deploy(variant: Variant, config: ClusterConfig, settings: Settings, machine: Machine) -> None:
    """Ask the cluster for the model; returns at once. Where it has it already, nothing changes."""
    from ray import serve

    with _one_at_a_time:
        app = _described(variant, config, settings, machine)
        target = serve.RunTarget(app, name=name_of(variant), route_prefix=None)
        serve.run_many([target], wait_for_applications_running=False)


def _described(variant: Variant, config: ClusterConfig, settings: Settings, machine: Machine) -> Any:
    """Ray Serve's own threads make descriptions too, and two made at once trip over each other: then once more."""
    for _ in range(TRIES):
        with contextlib.suppress(ValueError):
            return _application(variant, config, settings, machine)
        time.sleep(POLL)
    return _application(variant, config, settings, machine)


def _application(variant: Variant, config: ClusterConfig, settings: Settings, machine: Machine) -> Any:
    from ray import serve
    from ray.serve.config import AutoscalingConfig

    serving = config.serving(variant)
    several: dict[str, Any] = {"num_replicas": serving.replicas}
    if serving.max_replicas is not None:
        least = serving.replicas if serving.min_replicas is None else serving.min_replicas
        scaling = AutoscalingConfig(
            min_replicas=least,
            max_replicas=serving.max_replicas,
            target_ongoing_requests=serving.target or serving.runs,
            upscale_delay_s=serving.busy_seconds,
            downscale_delay_s=serving.idle_seconds,
            metrics_interval_s=min(MEASURE, serving.busy_seconds or MEASURE),
            look_back_period_s=LOOK_BACK,
        )
        several = {"autoscaling_config": scaling}
    threads = settings.threads or (None if config.address else machine.cores)
    around = {"env_vars": environment_of_nodes(config.code or CODE, threads)}
    deployment = serve.deployment(Replica).options(
        name="model",
        ray_actor_options={**resources(variant, serving, config, machine), "runtime_env": around},
        max_ongoing_requests=serving.runs,
        max_queued_requests=serving.queue,
        health_check_period_s=HEALTH_PERIOD,
        health_check_timeout_s=HEALTH_TIMEOUT,
        graceful_shutdown_timeout_s=DRAIN,
        graceful_shutdown_wait_loop_s=POLL,
        # Two fronts may ask at once: with one version, the second changes nothing. Ray draws one otherwise.
        version=VERSION,
        _internal=True,
        **several,
    )
    return deployment.bind(variant, BACKENDS[variant.backend], settings.for_nodes(), config.address is not None)


def state(name: str) -> tuple[str, int]:
    """The application's state in Ray's words ("" where there is none), and how many replicas serve."""
    from ray import serve

    app = serve.status().applications.get(name)
    if app is None:
        return "", 0
    running = sum(d.replica_states.get("RUNNING", 0) for d in app.deployments.values())
    return str(getattr(app.status, "value", app.status)), running


def await_replica(name: str, asleep: bool, emit: Emit) -> bool:
    """Wait until a replica serves; False where the model was removed meanwhile. `asleep`: there may be none until
    somebody asks.

    Raises `ClusterUnavailable` where Ray gives it up, and `Cancelled`.
    """
    began, told = time.monotonic(), ""
    while True:
        status, running = state(name)
        if running or (asleep and status == "RUNNING"):
            return True
        if status in _GOING:
            return False
        if status == "DEPLOY_FAILED":
            remove(name)
            raise ClusterUnavailable(
                "The cluster could not start this model. Its log says why; see that its machines have the project's "
                "code and packages."
            )
        words = "Starting a replica on the cluster"
        if time.monotonic() - began > NO_ROOM:
            words = "Waiting for room on the cluster"
        if words != told:
            emit(Progress(words))
            told = words
        if emit.cancel.wait(POLL):
            emit.check()


def remove(name: str) -> None:
    """Have the model go once its runs have ended; returns at once."""
    from ray import serve

    serve.delete(name, _blocking=False)


def await_gone(name: str, emit: Emit) -> None:
    """Wait for one that is going: Ray would stop its runs if the same were asked for now."""
    told = False
    while state(name)[0] == "DELETING":
        if not told:
            emit(Progress("Waiting for this model's last runs to end before it starts anew"))
            told = True
        if emit.cancel.wait(POLL):
            emit.check()


def free() -> dict[str, float]:
    """What the cluster has left of each resource that `resources` names; memory in bytes."""
    import ray

    left = ray.available_resources()
    return {"num_cpus": left.get("CPU", 0.0), "num_gpus": left.get("GPU", 0.0), "memory": left.get("memory", 0.0)}
