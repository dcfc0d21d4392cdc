"""Every hosted engine of clips keeps the contract: real calls against a server that plays the provider."""

from __future__ import annotations

import base64
import logging
import pickle
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.errors import (
    BackendError,
    ContentFiltered,
    InferenceError,
    InvalidRequest,
    KeyRefused,
    NoBackendAvailable,
    NotReady,
    ProviderError,
    RateLimited,
)
from shared.events import Final, Progress
from shared.receipts import Receipt
from shared.requests import ClipPart, ImagePart
from shared.streaming import CancelToken
from shared.video.encoding import encode
from tests.support.contract import import_is_light
from tests.support.fake_server import Act, Asked
from tests.support.hosted import KEY
from tests.support.hosted_video import OWNER, START, Filming, end_of, filming
from tests.support.protocols_video import (
    DONE,
    FAILED,
    FPS,
    FRAMES,
    OTHER_HUB_PROVIDERS,
    REFUSED,
    SIDES,
    VIDEO_DIALECTS,
    WORKING,
    Fal,
    Hub,
    Omni,
    Provider,
    Runway,
    Vllm,
    clip,
    picture,
)

BUSY = Act(status=503, body={"error": {"message": "busy"}})
BROKEN = Act(status=500, body={"error": {"message": "broken"}})


@pytest.fixture(params=VIDEO_DIALECTS, ids=lambda dialect: dialect.model)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Filming]:
    with filming(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=(Runway(), Vllm()), ids=lambda dialect: dialect.model)
def framed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Filming]:
    """For what the frame does for all of them: one that charges, and one that gives out its files itself."""
    with filming(request.param, tmp_path) as made:
        yield made


def test_a_run_ends_in_the_providers_clip_as_it_was_sent(case: Filming) -> None:
    final = end_of(case.run())
    output, receipt = final.output, final.receipt
    assert output.video == clip() and output.media_type == "video/mp4"
    assert (output.width, output.height, output.num_frames, output.fps) == (*SIDES, FRAMES, FPS)
    assert (receipt.backend, receipt.mode) == (case.dialect.backend, "hosted")
    (sent,) = case.provider.sent
    assert case.dialect.prompt_in(sent) == "a ball rolls"
    assert case.dialect.key_in(sent) == (KEY if case.dialect.env_var else "none")
    if case.dialect.cost is None:
        assert receipt.cost_usd is None and receipt.cost_note
    else:
        assert receipt.cost_usd == pytest.approx(case.dialect.cost, abs=0.01)
    pickle.loads(pickle.dumps(final))


def test_the_job_is_written_down_with_its_end_and_without_the_key(case: Filming) -> None:
    final = end_of(case.run(seed=7))
    job = case.job
    assert (job.state, job.request["prompt"]) == ("done", "a ball rolls") and case.provider.job in job.upstream
    assert Receipt.from_dict(job.receipt).cost_usd == final.receipt.cost_usd
    stored = end_of(case.again(server_keys={}).resume())
    assert stored.output == final.output and len(case.provider.sent) == 1
    for file in case.engine.settings.data_dir.rglob("*"):  # the database, and the clip
        assert file.is_dir() or KEY.encode() not in file.read_bytes()


def test_a_first_picture_goes_along(case: Filming) -> None:
    end_of(case.run(image=START))
    (sent,) = case.provider.sent
    assert case.dialect.picture_in(sent) == picture()


def test_a_look_that_fails_is_looked_again(case: Filming) -> None:
    limited = Act(status=429, headers={"Retry-After": "0"}, body={"error": {"message": "slower"}})
    case.provider.states = [WORKING, BROKEN, limited, WORKING, DONE]
    told = list(case.run())
    assert isinstance(told[-1], Final) and len(case.provider.sent) == 1
    assert any("asking again" in event.message for event in told if isinstance(event, Progress))


def test_a_provider_that_stays_away_is_told_and_the_job_kept(framed: Filming) -> None:
    framed.provider.states = [BROKEN]
    with pytest.raises(ProviderError, match="kept under “Jobs”"):
        list(framed.run())
    assert len(framed.provider.sent) == 1 and framed.job.state == "running"
    framed.provider.states = [DONE]
    assert end_of(framed.resume()).output.video == clip() and len(framed.provider.sent) == 1


@pytest.mark.parametrize(("state", "kind"), [(FAILED, ProviderError), (REFUSED, ContentFiltered)])
def test_a_job_that_comes_to_nothing_is_told_and_ends(case: Filming, state: str, kind: type[Exception]) -> None:
    case.provider.states = [WORKING, state]
    with pytest.raises(kind):
        list(case.run())
    assert case.job.state == "failed" and case.job.note and len(case.provider.sent) == 1
    with pytest.raises(InvalidRequest, match="nothing to go on with"):
        list(case.resume())


def test_a_limit_on_sending_is_waited_out(case: Filming) -> None:
    limited = Act(status=429, headers={"Retry-After": "0"}, body={"error": {"message": "slower"}})
    case.provider.sending = [limited]
    assert end_of(case.run()).output.video and len(case.provider.sent) == 2
    case.provider.sending = [limited] * 9
    with pytest.raises(RateLimited):
        list(case.run())


@pytest.mark.parametrize(
    "act", [BROKEN, Act(chunks=("{",), after="cut"), Act(body="<html>")], ids=["500", "cut", "html"]
)
def test_a_job_that_may_have_been_taken_is_never_sent_again(case: Filming, act: Act) -> None:
    case.provider.sending = [act]
    with pytest.raises(ProviderError, match="isn't known"):
        list(case.run())
    assert len(case.provider.sent) == 1 and case.job.state == "unsure"
    with pytest.raises(InvalidRequest, match="account there"):
        list(case.resume())


def test_a_key_that_is_refused_is_told_and_shown_nowhere(case: Filming, caplog: pytest.LogCaptureFixture) -> None:
    case.provider.sending = [Act(status=401, body={"error": {"message": f"bad {KEY}"}})]
    with caplog.at_level(logging.DEBUG), pytest.raises(KeyRefused) as told:
        list(case.run())
    assert KEY not in str(told.value) and KEY not in caplog.text and KEY not in case.job.note
    assert case.job.state == "failed"


def test_without_a_key_the_variable_is_named(framed: Filming) -> None:
    if not framed.dialect.env_var:
        return
    with pytest.raises(NoBackendAvailable, match=framed.dialect.env_var):
        list(framed.again(server_keys={}).run())


def test_a_download_that_breaks_off_is_begun_again(framed: Filming) -> None:
    whole = {"Content-Type": "video/mp4"}
    framed.provider.file = [Act(chunks=(clip()[:99],), headers=whole, after="cut"), BUSY]
    assert end_of(framed.run()).output.video == clip() and len(framed.provider.fetched) == 3


@pytest.mark.parametrize(
    "body", [b"<html>gone</html>", clip()[:200], b"GIF89a" + bytes(50)], ids=["html", "cut", "gif"]
)
def test_what_is_no_clip_ends_the_job(framed: Filming, body: bytes) -> None:
    framed.provider.file = [Act(body=body)] * 2
    with pytest.raises(ProviderError, match="no whole clip"):
        list(framed.run())
    assert framed.job.state == "failed" and len(framed.provider.fetched) == 1


def test_a_clip_that_is_too_large_ends_the_job(framed: Filming) -> None:
    framed.provider.file = [Act(chunks=(b"x",), headers={"Content-Length": str(2**40)})]
    with pytest.raises(ProviderError, match="more than 256 MiB"):
        list(framed.run())
    assert framed.job.state == "failed"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "https://10.0.0.8/x.mp4?s=1", "file:///etc/passwd"])
def test_a_clip_at_an_address_of_another_network_is_not_fetched(case: Filming, url: str) -> None:
    case.provider.file_url = url
    with pytest.raises(ProviderError, match="isn't called"):
        list(case.run())


def test_stop_calls_the_job_off(case: Filming) -> None:
    case.provider.states = [WORKING]
    token = CancelToken()
    threading.Thread(target=_when, args=(lambda: case.provider.looks, token.cancel)).start()
    request = next(_requests(case))
    *_, final = case.engine.generate(case.dialect.model, request, owner=OWNER, cancel=token)
    assert isinstance(final, Final) and final.output.finish_reason == "stopped"
    if not cancels(case):
        assert case.job.state == "running" and any("can't stop" in note for note in final.receipt.notes)
        return
    assert len(case.provider.called_off) == 1 and case.job.state == "cancelled"
    assert any("told to stop" in note for note in final.receipt.notes)


@pytest.mark.parametrize("how", ["stop", "leave"])
def test_what_the_provider_says_of_a_job_that_is_just_being_sent_isnt_lost(framed: Filming, how: str) -> None:
    slow = Act(chunks=(" ", '{"id": "job-1"}'), headers={"Content-Type": "application/json"}, pause=0.2)
    framed.provider.sending, framed.provider.states = [slow], [WORKING]
    token = CancelToken()
    press = token.cancel if how == "stop" else token.leave
    threading.Thread(target=_when, args=(lambda: framed.provider.sent, press)).start()
    list(framed.engine.generate(framed.dialect.model, next(_requests(framed)), owner=OWNER, cancel=token))
    assert framed.job.upstream == "job-1" and len(framed.provider.sent) == 1
    assert framed.job.state == ("cancelled" if how == "stop" else "running")
    assert len(framed.provider.called_off) == (how == "stop")


def test_what_is_stopped_before_it_is_sent_is_forgotten(framed: Filming) -> None:
    token = CancelToken()
    token.cancel()
    list(framed.engine.generate(framed.dialect.model, next(_requests(framed)), owner=OWNER, cancel=token))
    assert not framed.provider.sent and framed.engine.jobs.store.of(OWNER) == []


def test_a_job_that_takes_too_long_is_kept(framed: Filming) -> None:
    framed.provider.states = [WORKING]
    with pytest.raises(ProviderError, match="longer than it is waited for"):
        list(framed.again(job_timeout=0.3).run())
    assert framed.job.state == "running" and len(framed.provider.sent) == 1 and not framed.provider.called_off


def test_who_leaves_the_page_calls_nothing_off_and_finds_it_later(case: Filming) -> None:
    case.provider.states = [WORKING] * 3 + [WORKING]
    run = case.run()
    for _ in run:
        if case.provider.looks:
            break
    run.close()  # type: ignore[attr-defined]
    assert case.job.state == "running" and not case.provider.called_off
    case.provider.states = [DONE]
    later = case.again()
    final = end_of(later.resume())
    assert final.output.video == clip() and any("picked up" in note for note in final.receipt.notes)
    assert len(case.provider.sent) == 1 and later.job.state == "done" and not case.provider.called_off


def test_another_person_finds_nothing(framed: Filming) -> None:
    end_of(framed.run())
    with pytest.raises(InferenceError, match="no such job"):
        list(framed.engine.resume(framed.job.id, owner="somebody else"))
    assert framed.engine.jobs.store.of("somebody else") == []


def test_without_waiting_a_look_is_one_look(framed: Filming) -> None:
    framed.provider.states = [BROKEN]
    with pytest.raises(ProviderError):
        list(framed.run())
    framed.provider.states, looked = [WORKING, BROKEN, DONE], len(framed.provider.looks)
    with pytest.raises(NotReady):
        list(framed.resume(wait=False))
    assert len(framed.provider.looks) == looked + 1
    with pytest.raises(ProviderError):
        list(framed.resume(wait=False))
    assert end_of(framed.resume(wait=False)).output.video == clip()


def test_the_key_that_is_missing_at_resume_is_named(framed: Filming) -> None:
    if not framed.dialect.env_var:
        return
    framed.provider.states = [BROKEN]
    with pytest.raises(ProviderError):
        list(framed.run())
    with pytest.raises(BackendError, match=framed.dialect.env_var):
        list(framed.again(server_keys={}).resume())
    assert framed.job.state == "running"


def test_another_key_that_knows_no_such_job_loses_nothing(case: Filming) -> None:
    case.provider.states = [BROKEN]
    with pytest.raises(ProviderError):
        list(case.run())
    case.provider.states = [Act(status=404, body={"error": {"message": "not found"}})]
    with pytest.raises(ProviderError, match="no such job for this key"):
        list(case.resume())
    assert case.job.state == "running"


def test_a_job_is_called_off_from_the_list(case: Filming) -> None:
    case.provider.states = [BROKEN]
    with pytest.raises(ProviderError):
        list(case.run())
    spec = case.engine.find(case.job.model, case.settings, next(_requests(case)).TASK)
    job = case.engine.jobs.call_off(case.job, spec, case.settings)
    assert job == case.job and job.state == ("cancelled" if cancels(case) else "running")
    assert len(case.provider.called_off) == cancels(case) and (cancels(case) or "can't stop" in job.note)


def test_what_it_costs_is_told_before(case: Filming) -> None:
    quoted = case.engine.quote(case.dialect.model, next(_requests(case)))
    assert quoted.asks is getattr(case.dialect, "charged", True)
    if case.dialect.cost is None:
        assert quoted.usd is None
    else:
        assert quoted.usd == pytest.approx(case.dialect.cost, abs=0.01) and "$" in quoted.words
    assert not case.provider.sent
    end_of(case.run())
    assert case.job.quoted_usd == quoted.usd
    assert case.engine.quote(case.dialect.model, next(_requests(case))).seconds is not None


@pytest.mark.parametrize("dialect", OTHER_HUB_PROVIDERS, ids=lambda dialect: dialect.provider)
def test_each_of_the_hubs_providers_is_understood(dialect: Hub, tmp_path: Path) -> None:
    with filming(dialect, tmp_path) as case:
        final = end_of(case.run(duration=None, seed=7))
        assert final.output.video == clip() and final.receipt.extra["inference_provider"] == dialect.provider
        assert dialect.prompt_in(case.provider.sent[0]) == "a ball rolls"
    for state, kind in ((FAILED, ProviderError), (REFUSED, ContentFiltered)):
        if dialect.provider == "novita":  # it has no queue
            break
        with filming(dialect, tmp_path / state) as case:
            case.provider.states = [state]
            with pytest.raises(kind):
                list(case.run(duration=None))
            assert case.job.state == "failed"


def test_importing_an_engine_is_light() -> None:
    for dialect in VIDEO_DIALECTS:
        import_is_light(dialect.backend)


def test_googles_files_are_fetched_with_the_key_and_where_they_lie_without(tmp_path: Path) -> None:
    with filming(Omni(), tmp_path) as case:
        asked: list[Asked] = []
        case.provider.file_url = f"{case.provider.fake.url}/v1beta/files/abc"

        def sent_on(request: Asked) -> Act:
            asked.append(request)
            return Act(status=302, headers={"Location": f"{case.provider.fake.url}/files/clip.mp4"})

        case.provider.fake.routes = {"/v1beta/files/": sent_on, **case.provider.fake.routes}
        assert end_of(case.run()).output.video == clip()
        assert asked[0].path == "/v1beta/files/abc:download?alt=media" and case.dialect.key_in(asked[0]) == KEY
        assert KEY not in str(case.provider.fetched[0].headers)


def test_where_no_job_can_be_written_down_none_is_sent(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_bytes(b"")
    with filming(Runway(), tmp_path) as case:
        with pytest.raises(BackendError, match="can't write down jobs"):
            list(case.run())
        assert not case.provider.sent


def test_the_camera_is_told_in_words_and_pictures_have_a_limit(tmp_path: Path) -> None:
    with filming(Runway(), tmp_path) as case:
        end_of(case.run(camera="zoom_in"))
        assert case.dialect.prompt_in(case.provider.sent[0]).startswith("a ball rolls. ")
        with pytest.raises(InvalidRequest, match="too large"):
            list(case.run(image=ImagePart(picture() + bytes(4_000_000), "image/png")))
        assert len(case.provider.sent) == 1


def test_impossible_lengths_are_told_before_anything_is_sent(tmp_path: Path) -> None:
    with filming(Runway(), tmp_path) as case:
        for seconds, words in ((1, "2 to 10"), (60, "2 to 10"), (2.5, "whole seconds")):
            with pytest.raises(InvalidRequest, match=words):
                list(case.run(duration=seconds))
        with pytest.raises(InvalidRequest, match="1,000"):
            list(case.run(prompt="x" * 1001))
        assert not case.provider.sent


def cancels(case: Filming) -> bool:
    return bool(getattr(case.dialect, "cancels", True))


def _requests(case: Filming) -> Iterator[Any]:
    from shared.requests import VideoRequest

    while True:
        yield VideoRequest(prompt="a ball rolls", duration=case.dialect.seconds)


def _when(happened: Any, act: Any) -> None:
    """Do it as soon as something has happened."""
    while not happened():
        time.sleep(0.005)
    act()


@dataclass(frozen=True)
class Extending(Fal):
    """A model of fal's that goes on from a clip."""

    model: str = "fal:fal-ai/veo3.1/fast/extend-video"
    seconds: float | None = None  # type: ignore[assignment]
    root: str = "/fal-ai/veo3.1"

    def answer(self, asked: Asked, provider: Provider) -> Act:
        assert asked.method != "POST" or asked.path == "/fal-ai/veo3.1/fast/extend-video"
        return self.queue(asked, provider)


def test_a_clip_is_gone_on_from_where_the_provider_does_that(tmp_path: Path) -> None:
    with filming(Extending(), tmp_path) as case:
        assert end_of(case.run(video=ClipPart(clip(), "video/mp4"), seed=4)).output.video == clip()
        (sent,) = case.provider.sent
        assert base64.b64decode(sent.body["video_url"].partition("video/mp4;base64,")[2]) == clip()
        assert set(sent.body) == {"prompt", "video_url", "seed"} and "video" not in case.job.request
        long = encode((Image.new("RGB", SIDES) for _ in range(90)), 10.0)
        for given, words in (
            ({}, "goes on from a clip"),
            ({"video": ClipPart(long, "video/mp4")}, "8 seconds at most; this has 9.0"),
            ({"video": ClipPart(clip(), "video/mp4"), "image": START}, "can't begin with a picture"),
        ):
            with pytest.raises(InvalidRequest, match=words):
                list(case.run(**given))
        assert len(case.provider.sent) == 1
    with filming(Runway(), tmp_path / "other") as case, pytest.raises(InvalidRequest, match="can't go on from a clip"):
        list(case.run(video=ClipPart(clip(), "video/mp4")))
