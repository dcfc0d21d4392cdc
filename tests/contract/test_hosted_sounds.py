"""Music and sounds by hosts of many models: real calls against servers that play fal and Replicate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.errors import (
    ContentFiltered,
    InvalidRequest,
    NoBackendAvailable,
    ProviderError,
    RateLimited,
    UnknownJob,
)
from shared.events import Final, Progress
from shared.jobs.contents import read_request
from shared.requests import AudioRequest, MusicRequest, SoundRequest
from shared.streaming import CancelToken
from tests.support.contract import import_is_light
from tests.support.fake_server import Act
from tests.support.hosted import KEY
from tests.support.hosted_video import OWNER, Filming, end_of, filming
from tests.support.protocols_music import RATE, STEREO, FalSounds, ReplicateSounds, wav
from tests.support.protocols_video import DONE, FAILED, REFUSED, WORKING


@pytest.fixture(params=(FalSounds(), ReplicateSounds()), ids=lambda dialect: dialect.model)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Filming]:
    with filming(request.param, tmp_path) as made:
        made.provider.file = [Act(body=wav(), headers={"Content-Type": "audio/wav"})] * 3
        yield made


def run(case: Filming, **fields: Any) -> Iterator[Any]:
    asked = MusicRequest(**{"prompt": "a slow waltz", "duration": 12.0, **fields})
    return case.engine.generate(case.dialect.model, asked, owner=OWNER)


def test_words_go_out_by_the_models_own_names_and_a_sound_comes_back(case: Filming) -> None:
    told = list(run(case, seed=5, num_inference_steps=6, guidance_scale=3.0))
    final = told[-1]
    assert isinstance(final, Final) and (final.output.sample_rate, final.output.channels) == (RATE, 2)
    (sent,) = case.provider.sent
    seconds, steps, guidance = case.dialect.names
    assert case.dialect.input_in(sent) == {"prompt": "a slow waltz", seconds: 12.0, steps: 6, guidance: 3.0, "seed": 5}
    assert case.dialect.key_in(sent) == KEY and any(isinstance(event, Progress) for event in told)
    assert (final.receipt.backend, final.receipt.cost_usd, final.receipt.seed) == (case.dialect.backend, None, 5)
    assert (case.job.state, case.job.file.endswith(".flac")) == ("done", True)
    import_is_light(case.dialect.backend)


def test_what_cant_be_asked_is_told_before_anything_is_sent(case: Filming) -> None:
    with pytest.raises(InvalidRequest, match="1 to 190 seconds"):
        list(run(case, duration=300.0))
    with pytest.raises(NoBackendAvailable, match=case.dialect.env_var):
        list(run(case.again(server_keys={})))
    assert not case.provider.sent


def test_a_look_that_fails_is_looked_again_and_nothing_is_sent_twice(case: Filming) -> None:
    broken, limited = Act(status=500, body={"detail": "broken"}), Act(status=429, headers={"Retry-After": "0"}, body={})
    case.provider.states = [WORKING, broken, limited, DONE]
    assert end_of(run(case)).output.pcm and len(case.provider.sent) == 1
    case.provider.states = [broken]
    with pytest.raises(ProviderError, match="kept under “Jobs”"):
        list(run(case))
    assert len(case.provider.sent) == 2


@pytest.mark.parametrize("kind", [MusicRequest, SoundRequest], ids=["music", "sound"])
def test_what_nobody_waited_for_is_found_again_after_a_restart_and_is_the_same_to_the_sample(
    case: Filming, kind: type[AudioRequest]
) -> None:
    asked = kind(prompt="a slow waltz", duration=12.0, seed=5)
    case.provider.states = [Act(status=500, body={"detail": "broken"})]
    with pytest.raises(ProviderError):
        list(case.engine.generate(case.dialect.model, asked, owner=OWNER))
    case.provider.states = [WORKING, DONE]
    later = case.again()
    assert (later.job.state, later.job.task, read_request(later.job.task, later.job.request)) == (
        "running",
        kind.TASK,
        asked,
    )
    final = end_of(later.resume())
    assert final.output.pcm == STEREO.tobytes() and len(case.provider.sent) == 1
    kept = end_of(case.again().resume())  # from the disk
    assert (kept.output, kept.receipt) == (final.output, final.receipt)
    with pytest.raises(UnknownJob):
        list(later.engine.resume(later.job.id, owner="somebody else"))


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (Act(status=500, body={"detail": "broken"}), ProviderError),
        (Act(chunks=("{",), after="cut"), ProviderError),
        (Act(body="<html>"), ProviderError),
    ],
    ids=["500", "cut", "html"],
)
def test_a_job_that_may_have_been_taken_is_never_sent_again(case: Filming, act: Act, kind: type[Exception]) -> None:
    case.provider.sending = [act]
    with pytest.raises(kind, match="isn't known"):
        list(run(case))
    assert len(case.provider.sent) == 1


def test_a_limit_is_waited_out_and_a_job_that_comes_to_nothing_is_told(case: Filming) -> None:
    limited = Act(status=429, headers={"Retry-After": "0"}, body={"detail": "Request was throttled."})
    case.provider.sending = [limited]
    assert end_of(run(case)).output.pcm and len(case.provider.sent) == 2
    case.provider.sending = [limited] * 9
    with pytest.raises(RateLimited):
        list(run(case))
    case.provider.sending = []
    for state, kind in ((FAILED, ProviderError), (REFUSED, ContentFiltered)):
        case.provider.states = [WORKING, state]
        with pytest.raises(kind):
            list(run(case))
    case.provider.states, case.provider.file = [DONE], [Act(body=b"<html>gone</html>")] * 3
    with pytest.raises(ProviderError, match="no sound"):
        list(run(case))


def test_stop_calls_it_off(case: Filming) -> None:
    case.provider.states, token = [WORKING], CancelToken()
    asked = MusicRequest(prompt="a slow waltz")
    told = []
    for event in case.engine.generate(case.dialect.model, asked, cancel=token):
        told.append(event)
        if case.provider.looks:
            token.cancel()
    last = told[-1]
    assert isinstance(last, Final) and last.output.finish_reason == "stopped" and case.provider.called_off
