"""What goes wrong in a chat, as a person at the screen meets it: told in words, and nothing is lost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import attach, box, chat, choose, kept, says, send
from tests.support.fake_server import Act
from tests.support.protocols import Completions, Dialect, Gemini, Messages, Responses, Router
from tests.support.providers import KEY, Providers

pytestmark = pytest.mark.browser
RECEIPT = re.compile("^Receipt")
STARTER = "smollm2-135m"
CONTEXT = 4096  # tokens that the starter model reads, as llama.cpp runs it


@dataclass(frozen=True)
class Fault:
    """What the provider does, what the person reads, and what of the answer stays."""

    dialect: Dialect
    acts: tuple[Act, ...]
    told: str
    kept: str = ""


def _error(dialect: Dialect, status: int, code: str = "", **headers: str) -> Act:
    act = dialect.error(status, f"Trouble with {KEY}.", code)
    return Act(status=status, headers=headers, body=act.body)


def _broken(dialect: Dialect, *more: str, after: str = "") -> Act:
    return Act(chunks=(*dialect.opening(), *more), after=after)


FAULTS = {
    "429 in seconds": Fault(
        Messages(),
        (_error(Messages(), 429, "rate_limit_error", **{"Retry-After": "40"}),),
        "too many requests, or your quota is used up. Try again in 40 seconds.",
    ),
    "500": Fault(Responses(), (_error(Responses(), 500),) * 3, "has trouble of its own"),
    "hang": Fault(Completions(), (Act(before="hang"),) * 3, "didn't answer within 1 seconds. Try again"),
    "hang in mid-stream": Fault(
        Router(), (_broken(Router(), after="hang"),), "didn't answer within 1 seconds", "Blue is"
    ),
    "cut in mid-stream": Fault(
        Gemini(), (_broken(Gemini(), after="cut"),), "broke off. What came is kept; try again", "Blue is"
    ),
    "malformed": Fault(
        Completions(), (_broken(Completions(), "data: {not json\n\n"),), "broke off. What came is kept", "Blue is"
    ),
    "no answer at all": Fault(Completions(), (Act(body="<html>"),) * 3, "Try again, or choose another engine."),
    "content filter": Fault(
        Messages(),
        (Act(chunks=Messages().filtered()),),
        "Anthropic's content filter stopped this. Rephrase the prompt",
        "Blue is",
    ),
    "refused by the filter": Fault(
        Responses(), (_error(Responses(), 400, "content_policy_violation"),), "Rephrase the prompt and try again."
    ),
    "wrong key": Fault(Responses(), (_error(Responses(), 401),), "refused the key. Check it under “Your keys”"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_and_another_engine_goes_on(fault: Fault, page: Page, played: Providers) -> None:
    played[fault.dialect].script[:] = fault.acts
    choose(page, fault.dialect.model)
    send(page, "What is blue?")
    says(page, "Broken off." if fault.kept else "Not answered.")
    says(page, fault.told)
    expect(chat(page)).to_contain_text(fault.kept)
    expect(chat(page)).not_to_contain_text(KEY)
    assert not played[fault.dialect].script, "it was not asked as often as this fault bears"
    expect(page.locator("#box .submit-button")).to_be_visible()
    other = Messages() if fault.dialect.backend != "anthropic" else Gemini()
    choose(page, other.model)
    send(page, "And what is red?")
    says(page, "Blue is a colour.")
    said = str(played[other].asked[-1].body)
    assert "What is blue?" in said and "And what is red?" in said
    expect(chat(page)).to_contain_text(fault.told)
    expect(chat(page)).to_contain_text(fault.kept)


def test_what_came_before_a_cut_stays_marked_after_a_reload(page: Page, played: Providers) -> None:
    one = Gemini()
    played[one].act = _broken(one, after="cut")
    choose(page, one.model)
    send(page, "What is blue?")
    says(page, "What came is kept")
    kept(page)
    page.reload()
    says(page, "What came is kept")
    says(page, "Blue is")


def test_a_conversation_too_long_is_told_and_trimmed_by_one_button(page: Page) -> None:
    long = ("one two three four five six seven eight nine ten " * (CONTEXT // 8)).encode()
    attach(page, "long.txt", long, "text/plain")
    send(page, "Sum this up.")
    says(page, "Not answered.")
    says(page, f"the model reads {CONTEXT:,}")
    trim = page.get_by_role("button", name="Leave out the oldest messages and send")
    expect(trim).to_be_hidden()  # there is nothing older than this message to leave out
    page.get_by_role("button", name="Settings ▼").click()
    page.get_by_label("number input for Longest answer (tokens)").fill("16")
    send(page, "Say hello.")
    expect(trim).to_be_visible()
    trim.click()
    says(page, "Receipt: SmolLM2 135M")
    expect(trim).to_be_hidden()
    page.get_by_role("button", name=RECEIPT).first.click()
    says(page, "oldest messages were left out")


def test_an_empty_message_is_not_sent(page: Page) -> None:
    send(page, "   ")
    expect(page.get_by_text("Write a message first.")).to_be_visible()
    expect(page.locator("#chat .user")).to_have_count(0)


def test_a_prompt_of_a_megabyte_is_refused_and_stays_in_the_box(page: Page) -> None:
    prompt = "word " * 200_000
    send(page, prompt)
    expect(page.get_by_text("The message is over 400,000 characters.")).to_be_visible()
    assert box(page).input_value() == prompt
    expect(page.locator("#chat .user")).to_have_count(0)


def test_an_unknown_model_is_told_and_the_message_stays_to_be_answered(page: Page) -> None:
    choose(page, "no-such-model")
    expect(page.locator("#engine-note")).to_contain_text("no-such-model")
    send(page, "Say hello.")
    says(page, "Not answered.")
    says(page, "no-such-model")
    choose(page, Completions().model)
    page.get_by_role("button", name="Retry").click()
    says(page, "Blue is a colour.")
    says(page, "Say hello.")


def test_broken_weights_by_their_path_are_told(page: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(range(256)) * 20)
    choose(page, str(broken))
    send(page, "Say hello.")
    says(page, "Not answered.")
    says(page, "broken.gguf")
    expect(chat(page)).not_to_contain_text("was not foreseen")


def test_a_picture_for_a_model_that_reads_text_only(page: Page, played: Providers) -> None:
    attach(page, "dot.png", _png(), "image/png")
    send(page, "What is this?")
    says(page, "This model reads text only.")
    send(page, "Then say hello.")  # the picture is in the way of nothing that follows
    says(page, "Receipt: SmolLM2 135M")
    choose(page, Completions().model)
    send(page, "And you?")
    says(page, "Blue is a colour.")
    assert Completions().image_in(played[Completions()].asked[-1]).startswith("data:image/jpeg;base64,")


def test_a_file_that_is_neither_text_nor_picture_is_refused(page: Page) -> None:
    attach(page, "noise.txt", bytes(range(128, 256)), "text/plain")
    send(page, "Read this.")
    expect(page.get_by_text("noise.txt is neither a picture nor a text file.")).to_be_visible()
    expect(box(page)).to_have_value("Read this.")


def _png() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (8, 8), "blue").save(out, "PNG")
    return out.getvalue()


def test_settings_that_an_engine_lacks_are_greyed_out_with_the_reason(page: Page, played: Providers) -> None:
    page.get_by_role("button", name="Settings ▼").click()
    number = page.get_by_label("number input for Top k")
    expect(number).to_be_enabled()
    choose(page, Gemini().model)
    expect(number).to_be_enabled()
    choose(page, Responses().model)
    expect(number).to_be_disabled()
    expect(page.locator("#set-top_k")).to_contain_text("Not for this engine:")
    choose(page, STARTER)
    expect(number).to_be_enabled()
    expect(page.locator("#set-top_k")).not_to_contain_text("Not for this engine")


def test_a_lesson_sends_its_turns_one_after_another(page: Page, played: Providers) -> None:
    one = Completions()
    choose(page, one.model)
    page.get_by_role("button", name="Critique and revise").click()
    expect(page.locator("#lesson-question")).to_contain_text("Wait for all three turns.")
    expect(page.get_by_role("button", name=RECEIPT)).to_have_count(3)
    asked = [[m["role"] for m in each.body["messages"]] for each in played[one].asked]
    assert asked == [["user"], ["user", "assistant", "user"], ["user", "assistant", "user", "assistant", "user"]]
    assert "principles" in played[one].asked[1].body["messages"][-1]["content"]
    page.locator("#lesson-next").click()  # a step that only asks says nothing to the model
    expect(page.locator("#lesson-question")).to_contain_text("Step 2 of 4")
    page.get_by_role("button", name="Zero-shot", exact=True).click()  # each of its runs is a chat of its own
    expect(page.get_by_role("button", name=RECEIPT)).to_have_count(1)
    page.locator("#lesson-next").click()
    expect(page.locator("#chat")).not_to_contain_text("in one word")
    expect(page.get_by_role("button", name=RECEIPT)).to_have_count(1)
    assert [len(each.body["messages"]) for each in played[one].asked[3:]] == [1, 1]
