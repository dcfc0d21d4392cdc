"""Solids by a provider's queue: real calls against a server that plays fal, as jobs that survive a restart."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from shared.backends import get_backend
from shared.catalog import Variant
from shared.errors import ContentFiltered, InvalidRequest, NotReady, ProviderError
from shared.events import Event, Final
from shared.quoting import agree
from shared.requests import SolidRequest
from shared.solid.files import encode
from tests.support.contract import import_is_light
from tests.support.fake_server import Act, Asked
from tests.support.hosted import KEY
from tests.support.hosted_video import OWNER, Filming, end_of, filming
from tests.support.protocols_video import DONE, REFUSED, WORKING, Fal, Provider
from tests.support.solids import is_whole, lifted, part, picture

STAR = part(picture("star"))


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
