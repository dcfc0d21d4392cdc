"""Solids by providers: real calls against servers that play fal, Replicate and Tripo, as jobs that last."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from shared.backends import get_backend
from shared.catalog import Variant
from shared.errors import ContentFiltered, InvalidRequest, KeyRefused, NotReady, ProviderError, RateLimited
from shared.events import Event, Final
from shared.quoting import agree
from shared.requests import SolidRequest
from shared.solid.files import encode
from tests.support.contract import import_is_light
from tests.support.fake_server import Act, Asked
from tests.support.hosted import KEY
from tests.support.hosted_video import OWNER, Filming, end_of, filming
from tests.support.protocols_solids import ReplicateMeshes, Tripo
from tests.support.protocols_video import DONE, FAILED, REFUSED, WORKING, Fal, Provider
from tests.support.solids import is_whole, lifted, part, picture

STAR, DISC, RING = (part(picture(name)) for name in ("star", "disc", "ring"))


@dataclass(frozen=True)
class Meshes(Fal):
    """fal, whose models put what they make under another name."""

    model: str = "fal:fal-ai/trellis"
    backend: str = "fal_solid"
    root: str = "/fal-ai/trellis"
    place: str = "model_mesh"

    def answer(self, asked: Asked, provider: Provider) -> Act:
        if asked.method == "POST":
            assert asked.path == f"/{self.model.removeprefix('fal:')}"
        act: Act = self.queue(asked, provider)
        if isinstance(act.body, dict) and "video" in act.body:
            return replace(act, body={self.place: {"url": provider.file_url, "content_type": "model/gltf-binary"}})
        return act


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Filming]:
    with filming(Meshes(), tmp_path) as made:
        made.provider.file = [Act(body=encode(lifted("star")[0], "glb"))] * 3
        yield made


def run(case: Filming, **fields: Any) -> Iterator[Event]:
    return case.engine.generate(case.dialect.model, SolidRequest(**{"image": STAR, **fields}), owner=OWNER)


def test_a_picture_goes_out_and_a_solid_comes_back_in_its_size(case: Filming) -> None:
    final = end_of(run(case, seed=5, size_mm=90.0, depth=0.3))
    is_whole(final.output.solid)
    assert final.output.solid.size.max() == pytest.approx(90, rel=1e-3) and final.output.solid.texture
    (sent,) = case.provider.sent
    assert case.dialect.key_in(sent) == KEY and sent.body["seed"] == 5 and set(sent.body) == {"image_url", "seed"}
    assert base64.b64decode(sent.body["image_url"].partition(",")[2]) == STAR.data
    receipt = final.receipt
    assert (receipt.backend, receipt.mode, receipt.cost_usd) == ("fal_solid", "hosted", 0.02)
    assert "depth" in receipt.unhonoured and receipt.notes


def test_a_job_is_written_down_and_gone_on_with_after_a_restart(case: Filming) -> None:
    case.provider.states = [WORKING]
    events = run(case)
    for _ in events:
        if case.engine.jobs.store.of(OWNER) and case.job.upstream:
            break
    events.close()  # type: ignore[attr-defined]
    again = case.again()
    with pytest.raises(NotReady):
        list(again.resume(wait=False))
    case.provider.states = [DONE]
    is_whole(end_of(again.resume()).output.solid)
    stored = end_of(case.again(server_keys={}).resume())
    is_whole(stored.output.solid)
    assert len(case.provider.sent) == 1 and stored.receipt.cost_usd == 0.02
    files = [file for file in case.engine.settings.data_dir.rglob("*") if file.is_file()]
    assert files and all(KEY.encode() not in file.read_bytes() for file in files)


def test_what_it_costs_is_told_and_must_be_agreed_to(case: Filming) -> None:
    quoted = case.engine.quote(case.dialect.model, SolidRequest(image=STAR))
    assert quoted.asks and quoted.usd == 0.02 and "fal.ai" in quoted.words
    with pytest.raises(InvalidRequest, match="agree_to_cost"):
        agree(quoted)
    with pytest.raises(InvalidRequest, match="starts from a picture"):
        case.engine.quote(case.dialect.model, SolidRequest(prompt="a cat"))
    assert case.provider.sent == []


def test_words_are_read_by_models_that_read_words(tmp_path: Path) -> None:
    model = "fal:fal-ai/hunyuan-3d/v3.1/rapid/text-to-3d"
    with filming(Meshes(model=model, root="/fal-ai/hunyuan-3d", place="model_glb"), tmp_path) as case:
        case.provider.file = [Act(body=encode(lifted("disc")[0], "glb"))]
        is_whole(end_of(run(case, prompt="a ball", image=None)).output.solid)
        assert case.provider.sent[0].body == {"prompt": "a ball"}
        with pytest.raises(InvalidRequest, match="can't start from a picture"):
            list(run(case, prompt="a ball"))


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (REFUSED, ContentFiltered, "content filter"),
        ("failed", ProviderError, "the oven was cold"),
        (b"not a mesh", ProviderError, "no whole mesh"),
    ],
)
def test_what_comes_to_nothing_is_told(case: Filming, answer: Any, kind: type[Exception], words: str) -> None:
    if isinstance(answer, bytes):
        case.provider.file = [Act(body=answer)] * 3
    else:
        case.provider.states = [DONE]
        case.provider.states[0] = answer
    with pytest.raises(kind, match=words):
        list(run(case))
    assert case.job.state == "failed" and len(case.provider.sent) == 1


def test_stop_calls_it_off(case: Filming) -> None:
    from shared.streaming import CancelToken

    case.provider.states, token = [WORKING], CancelToken()
    told = []
    for event in case.engine.generate(case.dialect.model, SolidRequest(image=STAR), owner=OWNER, cancel=token):
        told.append(event)
        if case.engine.jobs.store.of(OWNER) and case.job.upstream:
            token.cancel()
    last = told[-1]
    assert isinstance(last, Final) and last.output.solid is None and case.provider.called_off


def test_importing_it_is_light_and_a_key_is_asked_for(case: Filming) -> None:
    import_is_light("fal_solid")
    with pytest.raises(Exception, match="FAL_KEY"):
        get_backend("fal_solid").check(Variant(backend="fal_solid", repo_id="x"), case.again(server_keys={}).settings)


@pytest.fixture(params=(ReplicateMeshes(), Tripo()), ids=lambda dialect: dialect.model)
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Filming]:
    """Those that aren't fal."""
    with filming(request.param, tmp_path) as made:
        made.provider.file = [Act(body=encode(lifted("star")[0], "glb"))] * 3
        yield made


def test_others_too_make_a_solid_of_a_picture_and_charge_what_isnt_known(other: Filming) -> None:
    final = end_of(run(other, seed=5, size_mm=90.0))
    is_whole(final.output.solid)
    (sent,) = other.provider.sent
    assert other.dialect.key_in(sent) == KEY and len(other.dialect.pictures_in(sent)) == 1
    assert (final.receipt.backend, final.receipt.cost_usd) == (other.dialect.backend, None)
    quoted = other.engine.quote(other.dialect.model, SolidRequest(image=STAR))
    assert quoted.asks and quoted.usd is None
    import_is_light(other.dialect.backend)


def test_pictures_of_several_sides_go_along_in_their_order(other: Filming) -> None:
    end_of(run(other, left_image=DISC, right_image=RING))
    (sent,) = other.provider.sent
    if isinstance(other.dialect, Tripo):
        assert sent.body["type"] == "multiview_to_model"
        assert other.dialect.pictures_in(sent) == ["token-1", "token-2", "", "token-3"]
        assert DISC.data in other.provider.uploads[1].raw
    else:
        assert other.dialect.pictures_in(sent) == [STAR.data, DISC.data, RING.data]


def test_others_jobs_outlive_a_restart_and_are_paid_once(other: Filming) -> None:
    other.provider.states = [Act(status=500, body={"detail": "broken"})]
    with pytest.raises(ProviderError, match="kept under “Jobs”"):
        list(run(other))
    again = other.again()
    other.provider.states = [WORKING, DONE]
    with pytest.raises(NotReady):
        list(again.resume(wait=False))
    is_whole(end_of(again.resume()).output.solid)
    assert len(other.provider.sent) == 1 and again.job.state == "done"


@pytest.mark.parametrize(
    ("sending", "kind", "state"),
    [
        (Act(status=401, body={"title": "Unauthenticated", "detail": "no"}), KeyRefused, "failed"),
        (Act(status=402, body={"title": "Insufficient credit", "detail": "add some"}), ProviderError, "failed"),
        (Act(status=422, body={"detail": "- input: images is required"}), InvalidRequest, "failed"),
        (Act(chunks=("{",), after="cut"), ProviderError, "unsure"),
        (Act(status=500, body={"detail": "broken"}), ProviderError, "unsure"),
    ],
    ids=["key", "credit", "input", "cut", "500"],
)
def test_others_that_dont_take_a_job_say_why(other: Filming, sending: Act, kind: type[Exception], state: str) -> None:
    other.provider.sending = [sending]
    with pytest.raises(kind):
        list(run(other))
    assert other.job.state == state and len(other.provider.sent) == 1


def test_others_limits_are_waited_out_and_failures_end_the_job(other: Filming) -> None:
    limited = Act(status=429, headers={"Retry-After": "0"}, body={"detail": "Request was throttled."})
    other.provider.sending = [limited] * 9
    with pytest.raises(RateLimited):
        list(run(other))
    other.provider.sending = []
    for state, kind in ((FAILED, ProviderError), (REFUSED, ContentFiltered)):
        other.provider.states = [WORKING, state]
        with pytest.raises(kind):
            list(run(other))


@dataclass(frozen=True)
class Versioned(ReplicateMeshes):
    """A model of somebody's at Replicate, which is not run without a version."""

    model: str = "replicate:somebody/meshes"
    version: str = "somebody/meshes:abc123"

    def answer(self, asked: Asked, provider: Provider) -> Act:
        if asked.method == "POST" and asked.body["version"] == "somebody/meshes":
            return Act(status=422, body={"title": "Invalid version or not permitted", "detail": "It does not exist."})
        if asked.path == "/v1/models/somebody/meshes":
            return Act(body={"owner": "somebody", "name": "meshes", "latest_version": {"id": "abc123"}})
        return super().answer(asked, provider)


def test_a_model_without_a_version_is_run_in_its_newest(tmp_path: Path) -> None:
    with filming(Versioned(), tmp_path) as case:
        case.provider.file = [Act(body=encode(lifted("star")[0], "glb"))]
        is_whole(end_of(run(case)).output.solid)
        assert case.provider.sent[0].body["version"] == "somebody/meshes:abc123" and len(case.provider.sent) == 1


def test_replicate_says_in_words_how_long_its_limit_lasts(tmp_path: Path) -> None:
    with filming(ReplicateMeshes(), tmp_path) as case:
        words = "Request was throttled. Your rate limit resets in ~900s."
        case.provider.sending = [Act(status=429, body={"detail": words})] * 9
        with pytest.raises(RateLimited) as told:
            list(run(case))
        assert told.value.retry_after == 900 and len(case.provider.sent) == 1 and case.job.state == "failed"


def test_stop_calls_off_where_the_provider_can(other: Filming) -> None:
    from shared.streaming import CancelToken

    other.provider.states, token = [WORKING], CancelToken()
    for _ in other.engine.generate(other.dialect.model, SolidRequest(image=STAR), owner=OWNER, cancel=token):
        if other.engine.jobs.store.of(OWNER) and other.job.upstream:
            token.cancel()
    if isinstance(other.dialect, Tripo):
        assert not other.provider.called_off and "can't stop" in other.job.note and other.job.state == "running"
    else:
        assert other.provider.called_off and other.job.state == "cancelled"


def test_words_go_to_tripo_without_an_upload_and_its_refusals_are_told(tmp_path: Path) -> None:
    with filming(Tripo(), tmp_path) as case:
        case.provider.file = [Act(body=encode(lifted("disc")[0], "glb"))]
        is_whole(end_of(run(case, prompt="a ball", image=None, seed=3)).output.solid)
        (sent,) = case.provider.sent
        assert (sent.body["type"], sent.body["prompt"], sent.body["model_seed"]) == ("text_to_model", "a ball", 3)
        assert not case.provider.uploads
        case.provider.sending = [Act(body={"code": 2010, "message": "You need more credits"})]
        with pytest.raises(ProviderError, match="more credits"):
            list(run(case, prompt="a ball", image=None))


def test_what_replicate_has_thrown_away_is_told(tmp_path: Path) -> None:
    with filming(ReplicateMeshes(), tmp_path) as case:
        gone = {"id": "job-1", "status": "succeeded", "output": None, "data_removed": True}
        case.provider.states = [WORKING, Act(body=gone)]
        with pytest.raises(ProviderError, match="keeps what it makes for an hour"):
            list(run(case))
        assert case.job.state == "failed"


def test_sides_are_asked_for_and_refused_before_anything_is_sent(tmp_path: Path) -> None:
    multi = Meshes(model="fal:fal-ai/hunyuan3d/v2/multi-view", root="/fal-ai/hunyuan3d")
    with filming(multi, tmp_path) as case:
        with pytest.raises(InvalidRequest, match="each of these sides: left, back"):
            case.engine.quote(multi.model, SolidRequest(image=STAR))
        case.provider.file = [Act(body=encode(lifted("disc")[0], "glb"))]
        end_of(run(case, left_image=DISC, back_image=RING))
        assert set(case.provider.sent[0].body) >= {"front_image_url", "left_image_url", "back_image_url"}
        with pytest.raises(InvalidRequest, match="front alone"):
            list(case.engine.generate("fal:fal-ai/trellis", SolidRequest(image=STAR, left_image=DISC)))
