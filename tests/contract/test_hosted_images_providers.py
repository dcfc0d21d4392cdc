"""What is peculiar to each provider of pictures: how sizes, seeds, edits and several pictures are asked for."""

from __future__ import annotations

import base64
import io
import time
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from shared.errors import ContentFiltered, InvalidRequest, KeyRefused, NoBackendAvailable, ProviderError, UnknownModel
from shared.requests import ImagePart
from tests.support import contract
from tests.support.fake_server import Act
from tests.support.hosted import KEY, Hosted
from tests.support.hosted_images import draw, drawing, final_of, previews_of
from tests.support.pictures import encoded, pixels
from tests.support.protocols_images import (
    PICTURE,
    SECOND,
    GeminiPictures,
    Generations,
    Hub,
    OpenAIStream,
    b64,
    bearer,
)

START = ImagePart(encoded("PNG", pixels(32, 32)), "image/png")


def openai() -> OpenAIStream:
    return OpenAIStream()


def test_openai_prices_pictures_as_pictures() -> None:
    with drawing(openai()) as case:
        receipt = final_of(case.events()).receipt
        assert (receipt.input_tokens, receipt.output_tokens) == (12, 1000)
        assert receipt.cost_usd == pytest.approx(12 * 5e-6 + 1000 * 30e-6)


def test_openai_draws_several_in_one_call() -> None:
    with drawing(openai(), openai().several(PICTURE, SECOND)) as case:
        final = final_of(case.events(draw(num_images_per_prompt=2)))
        assert [image.data for image in final.output.images] == [PICTURE, SECOND]
        assert final.receipt.settings["num_images_per_prompt"] == 2
        (asked,) = case.fake.asked
        assert asked.body["n"] == 2 and "stream" not in asked.body


@pytest.mark.parametrize(
    ("model", "asked", "size"),
    [
        ("gpt-image-2", (1024, 768), "1024x768"),
        ("gpt-image-2", (512, 512), "816x816"),  # OpenAI draws no fewer than 655,360 pixels
        ("gpt-image-2", (4096, 1024), "3072x1024"),  # nor a shape longer than 3 to 1
        ("gpt-image-2", (1000, 1000), "992x992"),
        ("gpt-image-1.5", (1600, 1000), "1536x1024"),
        ("gpt-image-1.5", (600, 900), "1024x1536"),
    ],
)
def test_openai_is_asked_for_the_nearest_size_that_it_offers(model: str, asked: tuple[int, int], size: str) -> None:
    with drawing(openai()) as made:
        case = replace(made, model=f"openai:{model}")
        events = case.events(draw(width=asked[0], height=asked[1]))
        assert case.fake.asked[0].body["size"] == size
        said = any("nearest size" in getattr(event, "message", "") for event in events)
        assert said == (size != f"{asked[0]}x{asked[1]}")


def test_openai_draws_from_a_picture_within_a_mask() -> None:
    mask = Image.new("L", (16, 16), 0)
    mask.paste(255, (0, 0, 8, 16))  # the left half is to be drawn anew
    with drawing(replace(openai(), kind="image_edit"), None) as case:
        final = final_of(case.events(draw(image=START, mask_image=ImagePart(encoded("PNG", mask), "image/png"))))
        assert final.output.images[0].data == PICTURE
        (asked,) = case.fake.asked
        assert asked.path == "/v1/images/edits" and START.data in asked.raw
        sent = asked.raw[asked.raw.index(b'name="mask"') :]
        with Image.open(io.BytesIO(sent[sent.index(b"\x89PNG") :])) as alpha:
            assert alpha.size == (32, 32)
            assert [alpha.getpixel((x, 5))[3] for x in (2, 29)] == [0, 255]  # type: ignore[index]


def test_a_value_that_is_too_high_is_refused_before_anything_is_sent() -> None:
    with drawing(openai()) as case:
        with pytest.raises(InvalidRequest, match="up to 10"):
            case.events(draw(num_images_per_prompt=11))
        assert not case.fake.asked


def test_gemini_is_asked_for_a_shape_and_prices_pictures_as_pictures() -> None:
    with drawing(GeminiPictures()) as case:
        receipt = final_of(case.events(draw(width=1920, height=1080))).receipt
        config = case.fake.asked[0].body["generationConfig"]
        assert config["imageConfig"] == {"aspectRatio": "16:9"}
        assert receipt.output_tokens == 1300
        assert receipt.cost_usd == pytest.approx(12 * 0.3e-6 + 10 * 2.5e-6 + 1290 * 30e-6)
    with drawing(GeminiPictures()) as made:
        case = replace(made, model="google:gemini-3.1-flash-lite-image")
        case.events(draw(width=2048, height=2048))
        assert case.fake.asked[0].body["generationConfig"]["imageConfig"] == {"aspectRatio": "1:1", "imageSize": "2K"}


def test_gemini_draws_from_a_picture_but_takes_no_mask() -> None:
    with drawing(GeminiPictures()) as case:
        final_of(case.events(draw("make it red", image=START)))
        parts = case.fake.asked[0].body["contents"][0]["parts"]
        assert base64.urlsafe_b64decode(parts[0]["inlineData"]["data"]) == START.data
        case.fake.asked.clear()
        with pytest.raises(InvalidRequest, match="no mask"):
            case.events(draw(image=START, mask_image=START))
        assert not case.fake.asked


def test_what_gemini_says_instead_of_drawing_is_told() -> None:
    with drawing(GeminiPictures(), GeminiPictures().words("I would rather sing.")) as case:
        with pytest.raises(InvalidRequest, match="rather sing"):
            case.events()
        assert len(case.fake.asked) == 1


def test_imagen_is_told_to_be_gone_before_anything_is_sent() -> None:
    with drawing(GeminiPictures()) as made:
        with pytest.raises(NoBackendAvailable, match="no longer serves"):
            replace(made, model="google:imagen-4.0-generate-001").events()
        assert not made.fake.asked


def test_several_pictures_have_a_seed_each_and_are_shown_as_they_come() -> None:
    with drawing(Generations()) as case:
        case.fake.script = [Generations().answer(PICTURE), Generations().answer(SECOND)]
        events = case.events(draw(num_images_per_prompt=2, seed=7))
        final = final_of(events)
        assert [image.data for image in final.output.images] == [PICTURE, SECOND]
        assert final.output.seeds == (7, 8)
        assert [asked.body["seed"] for asked in case.fake.asked] == [7, 8]
        assert len(previews_of(events)) == 1


def test_pictures_that_are_paid_for_outlive_the_failure_of_a_later_one() -> None:
    with drawing(Generations()) as case:
        case.fake.script = [Generations().answer(PICTURE), Generations().error(500, "internal")]
        final = final_of(case.events(draw(num_images_per_prompt=3)))
        assert [image.data for image in final.output.images] == [PICTURE]
        assert final.output.finish_reason == "cut" and len(case.fake.asked) == 2
        assert "1 of 3" in final.receipt.unhonoured["num_images_per_prompt"]
        assert "num_images_per_prompt" not in final.receipt.settings


def test_pictures_that_are_whole_outlive_a_stop() -> None:
    with drawing(Generations(), Act(before="hang")) as made:
        made.fake.script = [Generations().answer(PICTURE)]
        case = replace(made, request=draw(num_images_per_prompt=2))

        def when() -> None:
            end = time.monotonic() + 10
            while len(case.fake.asked) < 2 and time.monotonic() < end:
                time.sleep(0.02)

        final = contract.stop_keeps_what_came(case, when)
        assert [image.data for image in final.output.images] == [PICTURE]
        assert case.fake.closed.wait(1)


def test_together_has_its_own_names_for_settings() -> None:
    with drawing(Generations()) as case:
        case.events(draw(width=1000, height=600, num_inference_steps=4, guidance_scale=2.5))
        sent = case.fake.asked[0].body
        assert (sent["width"], sent["height"], sent["steps"], sent["guidance_scale"]) == (1000, 600, 4, 2.5)
        assert sent["response_format"] == "base64" and "size" not in sent


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        ("FLUX.1-kontext-pro", "image_url", "data:image/png;base64," + b64(START.data)),
        ("FLUX.2-pro", "reference_images", ["data:image/png;base64," + b64(START.data)]),
    ],
)
def test_together_draws_from_a_picture_where_the_model_does(model: str, field: str, value: Any) -> None:
    with drawing(Generations()) as made:
        case = replace(made, model=f"together:black-forest-labs/{model}")
        case.events(draw(image=START))
        assert case.fake.asked[0].body[field] == value
        with pytest.raises(InvalidRequest, match="words alone"):
            made.events(draw(image=START))
        assert len(case.fake.asked) == 1


def test_a_server_by_its_url_is_asked_in_the_standard_way() -> None:
    with drawing(Generations()) as made:
        case = replace(made, model=f"my-model@{made.fake.url}/v1")
        receipt = final_of(case.events(draw(width=512, height=512, seed=3))).receipt
        sent = case.fake.asked[0].body
        assert sent == {
            "model": "my-model", "prompt": "a blue bottle", "size": "512x512", "response_format": "b64_json",
        }  # fmt: skip
        assert "seed" in receipt.unhonoured and receipt.cost_usd is None and "unpriced" in receipt.cost_note
        case.events(draw(image=START))
        assert case.fake.asked[1].path == "/v1/images/edits" and START.data in case.fake.asked[1].raw


def test_a_provider_that_draws_nothing_is_told_with_those_that_do() -> None:
    with drawing(Generations()) as made:
        with pytest.raises(NoBackendAvailable, match=r"draws no pictures.*Together"):
            replace(made, model="groq:llama").events()
        assert not made.fake.asked


def hub(*mapping: tuple[str, str, str]) -> Hub:
    return Hub(mapping=mapping)


def test_the_hub_says_who_draws_and_the_receipt_names_it() -> None:
    with drawing(Hub()) as case:
        receipt = final_of(case.events(draw(width=768, height=512, num_inference_steps=4))).receipt
        sent = case.fake.asked[0].body
        assert receipt.extra["inference_provider"] == "together"
        assert (sent["width"], sent["height"], sent["steps"]) == (768, 512, 4)
        assert receipt.cost_usd is None and "unpriced" in receipt.cost_note


def test_a_provider_that_sends_the_file_itself() -> None:
    act = Act(body=PICTURE, headers={"Content-Type": "image/png"})
    with drawing(hub(("hf-inference", "text-to-image", "m")), act) as case:
        assert final_of(case.events()).output.images == (ImagePart(PICTURE, "image/png"),)
        assert case.fake.asked[0].path.startswith("/hf-inference/models/")
        assert bearer(case.fake.asked[0]) == KEY


def test_a_provider_that_names_an_address() -> None:
    with drawing(hub(("fal-ai", "text-to-image", "fal-ai/flux/schnell"))) as case:
        case.fake.act = Act(body={"images": [{"url": f"{case.fake.url}/files/1.png"}], "has_nsfw_concepts": [False]})
        asked_for_file = []

        def give(asked: Any) -> Act:
            asked_for_file.append(asked)
            return Act(body=PICTURE, headers={"Content-Type": "image/png"})

        case.fake.routes["/files/"] = give
        assert final_of(case.events()).output.images == (ImagePart(PICTURE, "image/png"),)
        assert KEY not in str(asked_for_file[0].headers)


def test_a_setting_that_the_providers_form_has_no_place_for_is_named() -> None:
    with drawing(hub(("nscale", "text-to-image", "m"))) as case:
        receipt = final_of(case.events(draw(num_inference_steps=19, negative_prompt="fog"))).receipt
        assert "nscale" in receipt.unhonoured["num_inference_steps"]
        assert "negative_prompt" not in receipt.unhonoured and case.fake.asked[0].body["negative_prompt"] == "fog"


def test_a_picture_to_begin_with_goes_to_a_provider_that_takes_one() -> None:
    rows = (("nscale", "image-to-image", "q"), ("together", "image-to-image", "black-forest-labs/FLUX.1-Kontext"))
    with drawing(hub(*rows)) as case:
        case.events(draw("make it red", image=START))
        assert case.fake.asked[0].body["image_url"].endswith(b64(START.data))
        assert case.fake.asked[0].body["prompt"] == "make it red"
        with pytest.raises(UnknownModel, match="None of"):
            case.events()  # from words alone, nobody draws it


def test_a_failure_that_comes_with_status_200_is_told() -> None:
    with drawing(hub(("replicate", "text-to-image", "black-forest-labs/flux-schnell"))) as case:
        case.fake.act = Act(body={"status": "failed", "error": "NSFW content detected", "output": None})
        with pytest.raises(ContentFiltered):
            case.events()
        case.fake.act = Act(body={"status": "failed", "error": "the GPU caught fire", "output": None})
        with pytest.raises(ProviderError, match="caught fire"):
            case.events()


def test_the_hubs_own_refusal_is_told_and_no_drawing_is_asked_for() -> None:
    with drawing(Hub()) as case:
        case.fake.routes["/api/models/"] = lambda asked: Act(status=401, body={"error": "Invalid credentials"})
        with pytest.raises(KeyRefused):
            case.events()
        case.fake.routes["/api/models/"] = lambda asked: Act(status=404, body={"error": "Repository not found"})
        with pytest.raises(UnknownModel, match="FLUX"):
            case.events()
        assert not case.fake.asked


def test_a_key_that_is_not_the_hubs_goes_nowhere() -> None:
    with drawing(Hub()) as case:
        assert case.settings is not None
        other = case.settings.with_session_keys({"HF_TOKEN": "sk-not-a-hub-token"})
        with pytest.raises(KeyRefused):
            replace(case, settings=other).events()
        assert not case.fake.asked


def session(case: Hosted, **keys: str) -> Hosted:
    assert case.settings is not None
    return replace(case, settings=case.settings.with_session_keys(keys))


def test_a_session_key_goes_before_the_servers() -> None:
    for dialect in (OpenAIStream(), Generations(), GeminiPictures(), Hub()):
        with drawing(dialect) as case:
            session(case, **{dialect.env_var: "hf_MYOWNKEY0123456789"}).events()
            assert dialect.key_in(case.fake.asked[0]) == "hf_MYOWNKEY0123456789"


def queue(case: Hosted, path: str, *answers: Any) -> list[Any]:
    """The router answers this path so, one after the other; what it was asked."""
    asked_for: list[Any] = []

    def answer(asked: Any) -> Act:
        asked_for.append(asked)
        return Act(body=answers[min(len(asked_for), len(answers)) - 1])

    case.fake.routes[path] = answer
    return asked_for


FILE = {"url": "data:image/png;base64," + b64(PICTURE)}


def test_fals_queue_is_waited_for_and_the_key_goes_to_the_router_alone() -> None:
    with drawing(hub(("fal-ai", "image-to-image", "fal-ai/kontext"))) as case:
        job = {
            "request_id": "r",
            "status": "IN_QUEUE",
            "response_url": "https://queue.elsewhere.test/fal-ai/requests/r",
        }
        case.fake.act = Act(body=job)
        states = queue(case, "/fal-ai/fal-ai/requests/r/status", {"status": "IN_PROGRESS"}, {"status": "COMPLETED"})
        queue(case, "/fal-ai/fal-ai/requests/r", {"images": [FILE]})
        assert final_of(case.events(draw(image=START))).output.images[0].data == PICTURE
        assert len(states) == 2 and bearer(states[0]) == KEY and states[0].path.endswith("?_subdomain=queue")


def test_wavespeeds_queue_is_waited_for() -> None:
    with drawing(hub(("wavespeed", "text-to-image", "flux"))) as case:
        case.fake.act = Act(body={"data": {"urls": {"get": "https://api.elsewhere.test/api/v3/predictions/p/result"}}})
        done = {"data": {"status": "completed", "outputs": [FILE["url"]]}}
        states = queue(case, "/wavespeed/api/v3/predictions/p/result", {"data": {"status": "processing"}}, done)
        assert final_of(case.events()).output.images[0].data == PICTURE and len(states) == 2
        queue(case, "/wavespeed/api/v3/predictions/p/result", {"data": {"status": "failed", "error": "no GPU left"}})
        with pytest.raises(ProviderError, match="no GPU left"):
            case.events()


@pytest.mark.parametrize("odd", [{}, {"data": 5}, {"data": {"status": "completed"}}, []])
def test_a_queue_that_makes_no_sense_is_told(odd: object) -> None:
    with drawing(hub(("wavespeed", "text-to-image", "flux"))) as case:
        case.fake.act = Act(body={"data": {"urls": {"get": "/p"}}})
        queue(case, "/wavespeed/p", odd)
        with pytest.raises(ProviderError, match="no whole picture"):
            case.events()
