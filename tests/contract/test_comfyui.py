"""ComfyUI: the graph that it is given, its line, and jobs that are taken back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from shared.errors import InvalidRequest, OutOfMemory, ProviderError, UnknownModel
from shared.events import Progress
from shared.requests import ImagePart
from tests.support import contract
from tests.support.fake_server import Act, Asked
from tests.support.hosted import Hosted
from tests.support.hosted_images import draw, drawing, final_of, previews_of
from tests.support.pictures import encoded, pixels
from tests.support.protocols_images import PICTURE, SECOND, Comfy

START = ImagePart(encoded("PNG", pixels(32, 32)), "image/png")


@pytest.fixture
def case() -> Iterator[Hosted]:
    with drawing(Comfy()) as made:
        yield made


def nodes_of(asked: Asked) -> dict[str, Any]:
    """The inputs of each node; every link must lead to a node that there is."""
    graph = asked.body["prompt"]
    for node in graph.values():
        links = [value for value in node["inputs"].values() if isinstance(value, list)]
        assert all(name in graph and isinstance(slot, int) for name, slot in links)
    return {name: node["inputs"] for name, node in graph.items()}


def listing(case: Hosted, path: str, act: Act) -> list[Asked]:
    """Answer this path so; what is asked there from now on."""
    asked_for: list[Asked] = []

    def answer(asked: Asked) -> Act:
        asked_for.append(asked)
        return act

    case.fake.routes[path] = answer
    return asked_for


def test_all_settings_stand_in_the_graph(case: Hosted) -> None:
    asked = draw("a boat", width=640, height=512, seed=9, num_inference_steps=12, guidance_scale=6.5)
    case.events(replace(asked, negative_prompt="fog", scheduler="EulerAncestralDiscreteScheduler"))
    nodes = nodes_of(case.fake.asked[0])
    assert nodes["model"]["ckpt_name"] == "sd15.safetensors"
    assert (nodes["wanted"]["text"], nodes["unwanted"]["text"]) == ("a boat", "fog")
    assert (nodes["start"]["width"], nodes["start"]["height"]) == (640, 512)
    sampler = {"seed": 9, "steps": 12, "cfg": 6.5, "sampler_name": "euler_ancestral", "denoise": 1.0}
    assert {name: nodes["draw"][name] for name in sampler} == sampler


def test_a_picture_and_a_mask_are_uploaded_and_stand_in_the_graph(case: Hosted) -> None:
    uploads = listing(case, "/upload/image", Act(body={"name": "theirs.png", "subfolder": "", "type": "input"}))
    case.events(draw(image=START, mask_image=START, strength=0.4))
    assert len(uploads) == 2 and all(START.data in upload.raw for upload in uploads)
    nodes = nodes_of(case.fake.asked[0])
    assert nodes["image"]["image"] == "theirs.png" and nodes["mask"]["image"] == "theirs.png"
    assert nodes["draw"]["denoise"] == 0.4 and nodes["draw"]["latent_image"] == ["start", 0]


def test_the_first_checkpoint_is_used_where_none_is_named(case: Hosted) -> None:
    required = {"ckpt_name": [["coast.safetensors", "sea.safetensors"], {}]}
    listing(case, "/object_info/", Act(body={"CheckpointLoaderSimple": {"input": {"required": required}}}))
    final = final_of(replace(case, model="comfyui:first").events())
    assert nodes_of(case.fake.asked[0])["model"]["ckpt_name"] == "coast.safetensors"
    assert final.receipt.extra["served_model"] == "coast.safetensors"


def test_a_server_without_any_model_says_what_to_do(case: Hosted) -> None:
    required = {"ckpt_name": [[], {}]}
    listing(case, "/object_info/", Act(body={"CheckpointLoaderSimple": {"input": {"required": required}}}))
    with pytest.raises(UnknownModel, match="checkpoints"):
        replace(case, model="comfyui:first").events()


def test_several_pictures_are_jobs_with_seeds_of_their_own(case: Hosted) -> None:
    case.fake.script = [Comfy().answer(PICTURE), Comfy().answer(SECOND)]
    final = final_of(case.events(draw(num_images_per_prompt=2, seed=5)))
    assert [image.data for image in final.output.images] == [PICTURE, SECOND]
    assert [nodes_of(asked)["draw"]["seed"] for asked in case.fake.asked] == [5, 6]


def test_a_scheduler_that_it_lacks_is_named(case: Hosted) -> None:
    receipt = final_of(case.events(draw(scheduler="TCDScheduler"))).receipt
    assert "no sampler" in receipt.unhonoured["scheduler"] and "scheduler" not in receipt.settings


def wait_in_line(case: Hosted, job: str, running: bool) -> tuple[list[Asked], list[Asked]]:
    """The job is never done; what the line and the interruption are asked."""
    other, mine = [0, "another"], [1, job]
    line = {"queue_running": [mine if running else other], "queue_pending": [] if running else [mine]}
    listing(case, "/history/", Act(body={}))
    return listing(case, "/queue", Act(body=line)), listing(case, "/interrupt", Act(body={}))


@pytest.mark.parametrize("running", [True, False])
def test_a_job_that_is_given_up_is_taken_back(case: Hosted, running: bool) -> None:
    job = case.fake.act.body["prompt_id"]
    line, interrupted = wait_in_line(case, job, running)

    def when() -> None:
        end = time.monotonic() + 10
        while len(line) < 2 and time.monotonic() < end:
            time.sleep(0.02)

    contract.stop_keeps_what_came(case, when)
    assert [asked.body for asked in line if asked.method == "POST"] == [{"delete": [job]}]
    assert [asked.body for asked in interrupted] == ([{"prompt_id": job}] if running else [])


def told(kind: str, job: str, **data: Any) -> str:
    """A message of its websocket."""
    return json.dumps({"type": kind, "data": {**data, "prompt_id": job}})


def sketch(colour: str) -> bytes:
    """A preview as its websocket sends it, in one colour."""
    return b"\0\0\0\1\0\0\0\1" + encoded("JPEG", Image.new("RGB", (16, 16), colour))


def listen(case: Hosted, *frames: str | bytes) -> list[Asked]:
    """The job is drawn while these messages come, and done with the last of them; it is looked for twice at least."""
    job, all_told = case.fake.act.body["prompt_id"], threading.Event()
    looks: list[Asked] = []

    def messages() -> Iterator[str | bytes]:
        yield from frames
        all_told.set()

    def history(asked: Asked) -> Act:
        looks.append(asked)
        return Act(body=Comfy().history(job) if len(looks) > 1 and all_told.is_set() else {})

    case.fake.routes["/history/"] = history
    listing(case, "/queue", Act(body={"queue_running": [[0, job]], "queue_pending": []}))
    return listing(case, "/ws", Act(frames=messages()))


def test_steps_and_previews_of_ones_own_job_are_shown(case: Hosted) -> None:
    job = case.fake.act.body["prompt_id"]
    mine = [told("progress", job, value=n, max=2, node="draw") for n in (1, 2)]
    other = [told("progress", "another", value=9, max=9, node="draw"), sketch("blue")]  # told to all who listen
    nonsense = ["[]", "{", b"", b"\0", b"\0\0\0\1" + b"no picture", told("progress", job, value="x", max=None)]
    opened = listen(case, *other, told("executing", job, node="draw"), mine[0], sketch("red"), *nonsense, mine[1])
    events = case.events()
    steps = [(event.step, event.total) for event in events if isinstance(event, Progress) and event.step]
    assert list(dict.fromkeys(steps)) == [(1, 2), (2, 2)]  # the last is told again while nothing comes
    (preview,) = previews_of(events)
    assert preview.image.getpixel((8, 8))[0] > 200 and (preview.step, preview.total) == (1, 2)
    assert final_of(events).output.images[0].data == PICTURE
    asked = case.fake.asked[0].body
    assert opened[0].path == f"/ws?clientId={asked['client_id']}", "it tells steps to the client of that name only"
    assert asked["extra_data"] == {"preview_method": "auto"}


def test_a_job_that_is_told_to_have_ended_is_fetched_at_once(case: Hosted) -> None:
    listen(case, told("execution_success", case.fake.act.body["prompt_id"]))
    began = time.monotonic()
    case.events()
    unheard = time.monotonic()
    listen(case)
    case.events()
    assert unheard - began < time.monotonic() - unheard, "without that word it is looked for from time to time"


def test_its_place_in_the_line_is_told(case: Hosted) -> None:
    wait_in_line(case, case.fake.act.body["prompt_id"], running=False)
    run = case.engine.generate(case.model, draw(), settings=case.settings)
    assert any(isinstance(event, Progress) and "1 before yours" in event.message for event in run)
    run.close()


def failed(kind: str, words: str) -> dict[str, Any]:
    messages = [["execution_start", {}], ["execution_error", {"exception_type": kind, "exception_message": words}]]
    return {"outputs": {}, "status": {"status_str": "error", "completed": False, "messages": messages}}


@pytest.mark.parametrize(
    ("kind", "words", "error"),
    [
        ("torch.OutOfMemoryError", "Allocation failed", OutOfMemory),
        ("RuntimeError", "CUDA error: out of memory", OutOfMemory),
        ("RuntimeError", "mat1 and mat2 shapes differ", ProviderError),
    ],
)
def test_a_job_that_failed_is_told(case: Hosted, kind: str, words: str, error: type[Exception]) -> None:
    job = case.fake.act.body["prompt_id"]
    listing(case, "/history/", Act(body={job: failed(kind, words)}))
    with pytest.raises(error, match="memory" if error is OutOfMemory else "shapes differ"):
        case.events()
    assert len(case.fake.asked) == 1


@pytest.mark.parametrize(
    ("details", "error"),
    [
        ("ckpt_name: 'sd15.safetensors' not in ['coast.safetensors']", UnknownModel),
        ("width: 8 smaller than min of 16", InvalidRequest),
    ],
)
def test_what_its_nodes_refuse_is_told(case: Hosted, details: str, error: type[Exception]) -> None:
    nodes = {"model": {"errors": [{"type": "value_not_in_list", "message": "Value not in list", "details": details}]}}
    body = {"error": {"type": "prompt_outputs_failed_validation", "message": "Prompt failed"}, "node_errors": nodes}
    case.fake.act = Act(status=400, body=body)
    with pytest.raises(error, match="sd15" if error is UnknownModel else "smaller than min"):
        case.events()


@pytest.mark.parametrize("entry", [5, [], {}, {"status": []}, {"outputs": {"show": {"images": [7]}}}, {"outputs": []}])
def test_a_history_that_makes_no_sense_is_told(case: Hosted, entry: object) -> None:
    listing(case, "/history/", Act(body={case.fake.act.body["prompt_id"]: entry}))
    with pytest.raises(ProviderError, match="no whole picture"):
        case.events()


@pytest.mark.parametrize("line", [{}, {"queue_running": 5}, {"queue_running": [[]], "queue_pending": [["x", {}], 7]}])
def test_a_line_that_makes_no_sense_is_no_reason_to_stop(case: Hosted, line: object) -> None:
    job = case.fake.act.body["prompt_id"]
    seen: list[Asked] = []

    def history(asked: Asked) -> Act:
        seen.append(asked)
        return Act(body=Comfy().history(job) if len(seen) > 1 else {})

    case.fake.routes["/history/"] = history
    listing(case, "/queue", Act(body=line))
    assert final_of(case.events()).output.images[0].data == PICTURE and len(seen) == 2
