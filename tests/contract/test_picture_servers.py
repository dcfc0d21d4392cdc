"""Servers for pictures that the deployer runs: AUTOMATIC1111's API, its progress, and how it is stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import InvalidRequest, NoBackendAvailable, OutOfMemory, UnknownModel
from shared.events import Progress
from shared.requests import ImagePart
from tests.support import contract
from tests.support.fake_server import Act, Asked
from tests.support.hosted import Hosted
from tests.support.hosted_images import draw, drawing, final_of, previews_of
from tests.support.pictures import encoded, pixels
from tests.support.protocols_images import PICTURE, SECOND, SKETCH, WebUI, b64

START = ImagePart(encoded("PNG", pixels(32, 32)), "image/png")


@pytest.fixture
def case() -> Iterator[Hosted]:
    with drawing(WebUI()) as made:
        yield made


def progress_of(case: Hosted, active: bool = True) -> list[Asked]:
    """Make the server tell of its progress by task; what it is asked from now on."""
    asked_for: list[Asked] = []

    def tell(asked: Asked) -> Act:
        asked_for.append(asked)
        share = min(1.0, 0.25 * len(asked_for))
        more = {"progress": share, "live_preview": f"data:image/png;base64,{b64(SKETCH)}", "id_live_preview": share * 8}
        return Act(body={"active": active, "queued": not active, "completed": False, **(more if active else {})})

    case.fake.routes["/internal/progress"] = tell
    return asked_for


def test_previews_and_steps_come_while_it_draws(case: Hosted) -> None:
    asked_for = progress_of(case)
    case.fake.act = WebUI().slow(1.4)
    events = case.events()
    assert final_of(events).output.images[0].data == PICTURE
    shown = previews_of(events)
    assert len(shown) == 2 and [p.step for p in shown] == [25, 50] and shown[0].image.size == (20, 15)
    task = case.fake.asked[0].body["force_task_id"]
    assert {asked.body["id_task"] for asked in asked_for} == {task}


def test_an_older_server_tells_of_whatever_it_draws(case: Hosted) -> None:
    case.fake.routes["/sdapi/v1/progress"] = lambda asked: Act(body={"progress": 0.5, "current_image": b64(SKETCH)})
    case.fake.act = WebUI().slow(0.8)
    assert previews_of(case.events())


def test_where_others_come_no_preview_of_theirs_is_shown(case: Hosted) -> None:
    asked_for: list[Asked] = []

    def tell(asked: Asked) -> Act:
        asked_for.append(asked)
        skipped = "skip_current_image=true" in asked.path
        return Act(body={"progress": 0.5, "current_image": None if skipped else b64(SKETCH)})

    case.fake.routes["/sdapi/v1/progress"] = tell
    case.fake.act = WebUI().slow(0.8)
    assert not previews_of(case.with_settings(public=True).events()) and asked_for


def test_its_place_in_the_line_is_told(case: Hosted) -> None:
    progress_of(case, active=False)
    case.fake.act = WebUI().slow(0.8)
    events = case.events()
    assert any(isinstance(e, Progress) and "line" in e.message for e in events) and not previews_of(events)


@pytest.mark.parametrize("active", [True, False])
def test_stopping_interrupts_the_servers_work_but_never_that_of_another(case: Hosted, active: bool) -> None:
    progress_of(case, active)
    interrupted: list[Asked] = []

    def interrupt(asked: Asked) -> Act:
        interrupted.append(asked)
        return Act(body={})

    case.fake.routes["/sdapi/v1/interrupt"] = interrupt
    case.fake.act = Act(before="hang")

    def when() -> None:
        assert case.fake.arrived.wait(10)
        time.sleep(0.8)

    final = contract.stop_keeps_what_came(case, when)
    assert bool(final.output.images) == active
    assert case.fake.closed.wait(1)
    assert bool(interrupted) == active


def test_all_settings_have_the_servers_names(case: Hosted) -> None:
    asked: dict[str, Any] = {
        "width": 640, "height": 512, "seed": 9, "num_inference_steps": 12, "guidance_scale": 6.5,
        "negative_prompt": "fog", "scheduler": "EulerAncestralDiscreteScheduler",
    }  # fmt: skip
    named = replace(case, model="a1111:coast_v2")
    receipt = final_of(named.events(draw(**asked))).receipt
    sent = case.fake.asked[0].body
    theirs = {"width": 640, "height": 512, "seed": 9, "steps": 12, "cfg_scale": 6.5, "negative_prompt": "fog"}
    assert {name: sent[name] for name in theirs} == theirs
    assert sent["sampler_name"] == "Euler a" and sent["override_settings"] == {"sd_model_checkpoint": "coast_v2"}
    assert set(receipt.unhonoured) == {"width", "height"}  # the picture that came is a small one
    assert receipt.mode == "hosted" and receipt.cost_usd is None


def test_variations_are_those_of_the_servers_subseed(case: Hosted) -> None:
    case.fake.act = Act(body=WebUI().body(PICTURE, SECOND))
    asked = draw(seed=9, variation_seed=2**32 - 1, variation_strength=0.25, num_images_per_prompt=2)
    final = final_of(case.events(asked))
    theirs = {"seed": 9, "subseed": 2**32 - 1, "subseed_strength": 0.25, "n_iter": 2}
    assert {name: case.fake.asked[0].body[name] for name in theirs} == theirs
    assert final.output.seeds == (9, 9), "the server counts the subseed up, not the seed"
    assert final.receipt.settings["variation_strength"] == 0.25


def test_a_picture_and_a_mask_go_along(case: Hosted) -> None:
    case.events(draw(image=START, mask_image=START, strength=0.4))
    asked = case.fake.asked[0]
    assert asked.path == "/sdapi/v1/img2img" and asked.body["denoising_strength"] == 0.4
    assert asked.body["init_images"][0].endswith(b64(START.data)) and asked.body["mask"].endswith(b64(START.data))


def test_a_sheet_of_all_pictures_is_left_out(case: Hosted) -> None:
    case.fake.act = Act(body=WebUI().body(SKETCH, PICTURE, SECOND, index_of_first_image=1, sd_model_name="coast_v2"))
    final = final_of(case.events(draw(num_images_per_prompt=2, seed=5)))
    assert [image.data for image in final.output.images] == [PICTURE, SECOND]
    assert final.output.seeds == (5, 6) and final.receipt.extra["served_model"] == "coast_v2"


def test_the_servers_own_errors_are_told(case: Hosted) -> None:
    for act, kind, words in (
        (Act(status=404, body={"detail": "Sampler not found"}), InvalidRequest, "sampler"),
        (Act(status=404, body={"detail": "Model not found"}), UnknownModel, "no model"),
        (Act(status=500, body={"error": "OutOfMemoryError", "errors": "CUDA out of memory"}), OutOfMemory, "memory"),
    ):
        case.fake.asked.clear()
        case.fake.act = act
        with pytest.raises(kind, match=words):
            case.events()
        assert len(case.fake.asked) == 1


def test_visitors_use_it_only_where_its_owner_said_so(case: Hosted) -> None:
    with pytest.raises(NoBackendAvailable, match="A1111_BASE_URL"):
        case.with_settings(public=True, base_urls={}).events()
    assert final_of(case.with_settings(public=True).events()).output.images
