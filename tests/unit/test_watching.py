"""What is seen of the engine's runs by who keeps the server: figures, lines, spans, budgets, history, and its end."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.backends.base import Usage
from shared.catalog import load_catalog
from shared.engine import Engine
from shared.errors import InferenceError, KeyRefused, LimitReached
from shared.events import Final
from shared.operation import logs
from shared.operation.budgeting import Budgeting
from shared.operation.draining import DRAIN, Drain
from shared.operation.keeping import Keeping
from shared.operation.logs import JsonLines, logged
from shared.operation.metrics import Metrics
from shared.operation.seen import Seen, Watcher
from shared.operation.tracing import Tracing, tracing
from shared.pricing import Cost
from shared.settings import Secret, Settings
from shared.state.database import Database
from shared.state.history import History
from shared.state.ledger import Balance, BudgetSpent, Ledger, Unit
from shared.streaming import CancelToken
from tests.support.fake_server import Act, serving
from tests.support.fakes import FakeBackend, a_variant, an_engine, ask, fail, say

Add = Callable[[FakeBackend], FakeBackend]
USED = Usage(input_tokens=3, output_tokens=2)
REFUSED = KeyRefused("P", "OPENAI_API_KEY")
KEY = "sk-" + "k3y" * 12


def watched(add: Add, run: FakeBackend, *watchers: Watcher, settings: Settings | None = None, **spec: object) -> Engine:
    engine = an_engine(a_variant(add(run)), settings=settings, **spec)
    engine.watchers = watchers
    return engine


def end(engine: Engine, *words: str, **how: object) -> Final | InferenceError:
    try:
        return list(engine.generate("m", ask(*words), **how))[-1]  # type: ignore[arg-type,return-value]
    except InferenceError as error:
        return error


def figures(metrics: Metrics) -> dict[str, float]:
    lines = metrics.text().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def test_runs_are_counted_by_task_backend_and_mode_alone(add: Add) -> None:
    metrics = Metrics(Drain())
    good = FakeBackend("one", run=say("Hel", "lo", usage=USED))
    end(watched(add, good, metrics), "a secret prompt")
    priced = FakeBackend("two", hosted=True, run=say("x", usage=USED, facts={"cost": Cost(0.25, "list price")}))
    end(watched(add, priced, metrics))
    end(watched(add, FakeBackend("three", hosted=True, run=fail(REFUSED)), metrics))
    found = figures(metrics)
    one, two = (f'{{backend="{b}",mode="{m}",task="conversational"}}' for b, m in (("one", "local"), ("two", "hosted")))
    assert found[f"playground_cost_usd_total{two}"] == 0.25
    assert found[f"playground_first_output_seconds_count{one}"] == 1 == found[f"playground_run_seconds_count{one}"]
    assert found['playground_tokens_total{backend="one",direction="output",mode="local",task="conversational"}'] == 2
    kind = 'playground_errors_total{backend="three",kind="key_refused",mode="hosted",task="conversational"}'
    assert found[kind] == 1 and found['playground_runs_now{state="waiting",task="conversational"}'] == 0
    assert not any("secret" in name or "some/model" in name for name in found)


def test_a_run_that_waits_is_seen_in_the_queue_and_one_that_works_is_not(add: Add) -> None:
    metrics, seen = Metrics(Drain()), []

    def look(*_: object) -> None:
        seen.append(dict(metrics.going()))

    run = say("x")
    backend = FakeBackend("one", on_load=look, run=lambda request, emit: (look(), run(request, emit))[1])
    end(watched(add, backend, metrics))
    assert seen == [{("conversational", "waiting"): 1}, {("conversational", "working"): 1}] and not metrics.going()


@contextmanager
def lines(settings: Settings) -> Iterator[list[dict[str, object]]]:
    """What is logged in the block, as JSON."""
    stream, found = io.StringIO(), []
    handler, before = logging.StreamHandler(stream), logs.logger.level
    handler.setFormatter(JsonLines(settings))
    logs.logger.addHandler(handler)
    logs.logger.setLevel(logging.INFO)
    try:
        yield found
    finally:
        logs.logger.removeHandler(handler)
        logs.logger.setLevel(before)
        found += map(json.loads, stream.getvalue().splitlines())


@pytest.mark.parametrize("prompts", [False, True])
def test_a_line_of_json_tells_a_run_with_no_key_and_no_prompt_unasked(add: Add, prompts: bool) -> None:
    settings = Settings(log_prompts=prompts, server_keys={"OPENAI_API_KEY": Secret(KEY)})
    engine = watched(add, FakeBackend("one", run=say("x", usage=USED)), logged, settings=settings)
    with lines(settings) as found:
        end(engine, f"my key is {KEY}")
        end(watched(add, FakeBackend("two", run=fail(REFUSED)), logged, settings=settings), "hi")
    run, failed = found
    assert (run["task"], run["outcome"], run["output_tokens"], run["backend"]) == ("conversational", "ok", 2, "one")
    assert failed["outcome"] == "key_refused" and KEY not in json.dumps(found)
    assert run.get("prompt") == ("my key is •••" if prompts else None)
    assert run["model"] == "not listed"  # a name that somebody typed may be an address of theirs


def test_a_model_of_the_catalogue_is_named(add: Add) -> None:
    spec = next(iter(load_catalog()))
    seen = Seen(spec=spec, variant=spec.variants[0], request=ask("hi"), settings=Settings())
    assert logs.told(seen)["model"] == spec.id and "prompt" not in logs.told(seen)


def test_a_span_tells_a_run_to_a_collector(add: Add) -> None:
    with serving(Act(body={})) as collector:
        traces = Tracing(collector.url)
        end(watched(add, FakeBackend("one", run=say("x", usage=USED)), traces), "a secret prompt")
        end(watched(add, FakeBackend("two", run=fail(REFUSED)), traces), "a secret prompt")
        traces.close()
    sent = b"".join(asked.raw for asked in collector.asked)
    assert {asked.path for asked in collector.asked} == {"/v1/traces"}
    assert b"run conversational" in sent and b"key_refused" in sent and b"playground.backend" in sent
    assert b"secret" not in sent


@pytest.mark.parametrize("named", ["", "room-7"])
def test_spans_are_of_the_service_that_the_keeper_names(add: Add, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", named)
    with serving(Act(body={})) as collector:
        traces = Tracing(collector.url)
        end(watched(add, FakeBackend("one", run=say("x", usage=USED)), traces), "hi")
        traces.close()
    (asked,) = collector.asked
    assert (named or "genai-playgrounds").encode() in asked.raw
    assert not named or b"genai-playgrounds" not in asked.raw


def test_traces_need_packages_that_may_be_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import sys

    # Engines that ran before in this process may have silenced all loggers that there were.
    monkeypatch.setattr(logging.getLogger("shared.operation.tracing"), "disabled", False)
    caplog.set_level(logging.WARNING, "shared.operation.tracing")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert tracing("http://nowhere.example") is None and "pip install opentelemetry-sdk" in caplog.text


def budget(tmp_path: Path, usd: float) -> tuple[Ledger, Budgeting]:
    ledger = Ledger(Database(tmp_path / "state.sqlite"))
    return ledger, Budgeting(ledger, caps={Unit.MONEY: usd})


def money(ledger: Ledger) -> Balance:
    return next(each for each in ledger.balances("server") if each.unit == Unit.MONEY)


def test_a_hosted_run_is_charged_what_it_cost_and_stops_at_the_cap(add: Add, tmp_path: Path) -> None:
    ledger, watcher = budget(tmp_path, 0.8)
    backend = FakeBackend("one", hosted=True, run=say("x", usage=USED, facts={"cost": Cost(0.2, "list price")}))
    engine = watched(add, backend, watcher)
    assert isinstance(end(engine), Final) and money(ledger) == Balance("server", Unit.MONEY, 0.8, 0.2, 0.0)
    assert isinstance(end(engine), Final)
    refused = end(engine)  # 0.5 are set aside for a chat whose price nobody knows before, and 0.4 are left
    assert isinstance(refused, BudgetSpent) and "costs nothing" in str(refused)
    assert len(backend.asked) == 2 and money(ledger).spent == 0.4
    free = watched(add, FakeBackend("two", run=say("x", usage=USED)), watcher)
    assert isinstance(end(free), Final)
    tokens = next(each for each in ledger.balances("server") if each.unit == Unit.TOKENS)
    assert tokens.spent == 15 and tokens.reserved == 0


def test_a_run_without_a_price_is_charged_what_was_set_aside_and_a_failed_one_nothing(add: Add, tmp_path: Path) -> None:
    ledger, watcher = budget(tmp_path, 5.0)
    end(watched(add, FakeBackend("one", hosted=True, run=say("x")), watcher))
    assert money(ledger).spent == 0.5
    end(watched(add, FakeBackend("two", hosted=True, run=fail(REFUSED)), watcher))
    assert (money(ledger).spent, money(ledger).reserved) == (0.5, 0)
    end(watched(add, FakeBackend("three", hosted=True, run=fail(REFUSED, after="some")), watcher))
    assert (money(ledger).spent, money(ledger).reserved) == (1.0, 0)  # something came, so it may be charged
    stopped = CancelToken()
    stopped.cancel()
    end(watched(add, FakeBackend("four", hosted=True), watcher), cancel=stopped)
    assert money(ledger).reserved == 0


def test_an_owners_runs_are_kept_without_what_was_asked(add: Add, tmp_path: Path) -> None:
    history = History(Database(tmp_path / "state.sqlite"))
    for prompts in (False, True):
        engine = watched(add, FakeBackend("one", run=say("x", usage=USED)), Keeping(history, prompts=prompts))
        end(engine, "a cat", owner="ada")
        end(engine, "a cat")
    end(watched(add, FakeBackend("two", run=fail(REFUSED)), Keeping(history)), owner="ada")
    failed, told, quiet = history.of("ada")
    assert (told.prompt, quiet.prompt) == ("a cat", None) and quiet.receipt["output_tokens"] == 2
    assert "a cat" not in json.dumps(quiet.receipt) and failed.error == "key_refused"
    nowhere = Keeping(History(Database(Path("/dev/null/x"))))
    assert isinstance(end(watched(add, FakeBackend("three"), nowhere), owner="ada"), Final)


def test_a_draining_server_refuses_a_run_in_words(add: Add) -> None:
    engine = an_engine(a_variant(add(FakeBackend("one"))))
    assert DRAIN.running == 0 and isinstance(end(engine), Final)
    DRAIN.begin()
    try:
        refused = end(engine)
    finally:
        DRAIN.draining = False
    assert isinstance(refused, LimitReached) and "Nothing is lost" in str(refused)
