"""A Space in the visitor's language: its page, what its runs say, and that programs get English."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest
from starlette.datastructures import Headers

from shared.languages.tongue import tongue
from shared.ui.languages.layer import Speaking
from shared.ui.languages.page_texts import ASKED, key_of
from shared.ui.languages.props import THEIRS
from shared.ui.languages.scripts import script_texts
from shared.ui.languages.spoken_pages import speak, speaking

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
STOP, SEED = tongue("es").text("Stop"), tongue("es").text("Seed")


class Asking:
    """A request that Gradio hands to an event."""

    def __init__(self, **headers: str) -> None:
        self.headers = Headers({name.replace("_", "-"): value for name, value in headers.items()})


def told() -> Iterator[list[Any]]:
    yield ["<p>Stop</p>", gr.update(label="Seed", choices=["Stop"]), "Stop", "Stop", gr.update(value="Stop")]


def failing() -> str:
    raise gr.Error("Choose one of them first.", print_exception=False)


@pytest.fixture(name="demo")
def a_spoken_page() -> Any:
    demo = asyncio.run(made())
    demo.config = demo.get_config_file()
    speak(demo)
    return demo


async def made() -> Any:  # the page's queue takes the running event loop, and would leave one that it made
    with gr.Blocks(title="Chat") as demo:
        shown = gr.HTML('<p>Stop</p><p title="Seed">x</p>')
        chosen = gr.Dropdown(["Stop", ("Seed", "b")], value="Stop", label="Seed", info="Not for this engine: Stop")
        typed = gr.Textbox("Stop", label="Stop")
        theirs = gr.Markdown("Stop", label="Seed", elem_classes=[THEIRS])
        button = gr.Button("Stop")
        outputs = [shown, chosen, typed, theirs, button]
        button.click(told, None, outputs, **PRIVATE)
        button.click(failing, None, shown, **PRIVATE)
        button.click(told, None, outputs, api_name="told")
        button.click(failing, None, shown, api_name="failing")
    return demo


def props(config: Any, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each["props"] for each in config["components"] if each["type"] == kind)
    return found


def test_the_page_looks_its_texts_up_in_the_one_language_that_is_asked_for(demo: Any) -> None:
    with speaking("es"):
        config, brought = demo.config, demo.i18n_instance.translations_dict
    assert props(config, "button")["value"] == str(gr.I18n()(key_of("Stop")))
    assert brought == config["i18n_translations"]
    assert set(brought) == {"es", "en"}
    assert (brought["es"][key_of("Stop")], brought["en"][key_of("Stop")]) == (STOP, "Stop")


def test_names_of_choices_change_and_their_values_and_what_is_typed_never_do(demo: Any) -> None:
    with speaking("es"):
        config = demo.config
    assert props(config, "dropdown")["choices"] == [[STOP, "Stop"], [SEED, "b"]]
    assert props(config, "dropdown")["value"] == "Stop"
    assert props(config, "textbox")["value"] == "Stop"
    assert props(config, "markdown")["value"] == "Stop"
    assert props(config, "html")["value"] == f'<p>{STOP}</p><p title="{SEED}">x</p>'


def test_a_page_is_put_into_a_language_once(demo: Any) -> None:
    with speaking("fr"):
        assert demo.config is demo.config


def test_who_asks_for_english_or_for_nothing_gets_the_page_as_it_is_written(demo: Any) -> None:
    assert props(demo.config, "button")["value"] == "Stop"
    assert not demo.config["i18n_translations"]
    assert demo.i18n_instance.translations_dict == {}


def test_what_programs_read_of_the_api_is_english_in_every_language(demo: Any) -> None:
    english = demo.get_api_info()
    with speaking("es"):
        assert demo.get_api_info() == english


@pytest.mark.parametrize(
    ("headers", "stop"),
    [
        ({"accept_language": "es"}, STOP),
        ({"cookie": "language=es"}, STOP),
        ({"accept_language": "nl"}, "Stop"),
        ({}, "Stop"),
    ],
)
def test_what_a_run_says_is_in_the_language_of_the_page_that_began_it(
    demo: Any, headers: dict[str, str], stop: str
) -> None:
    shown, chosen, typed, theirs, button = asyncio.run(demo.process_api(0, [], request=Asking(**headers)))["data"]
    assert shown == f"<p>{stop}</p>"
    assert [tuple(each) for each in chosen["choices"]] == [(stop, "Stop")]
    assert (typed, theirs) == ("Stop", "Stop")
    assert button["value"] == stop


def test_an_error_of_a_run_is_in_that_language(demo: Any) -> None:
    with pytest.raises(gr.Error) as spanish:
        asyncio.run(demo.process_api(1, [], request=Asking(accept_language="es")))
    assert spanish.value.message == tongue("es").text("Choose one of them first.") != "Choose one of them first."


def test_who_calls_a_named_endpoint_gets_english(demo: Any) -> None:
    said = asyncio.run(demo.process_api(2, [], request=Asking(accept_language="es")))["data"]
    assert said[0] == "<p>Stop</p>"
    with pytest.raises(gr.Error) as english:
        asyncio.run(demo.process_api(3, [], request=Asking(accept_language="es")))
    assert english.value.message == "Choose one of them first."


def test_a_page_says_its_language_and_its_direction_and_brings_what_its_scripts_say() -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        body = f'<html\n\tlang="en"\n><head>{ASKED.get()}</head></html>'.encode()
        headers = [(b"content-type", b"text/html"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/", "headers": [(b"accept-language", b"ar")]}
    asyncio.run(Speaking(page)(scope, None, send))  # type: ignore[arg-type]
    body = sent[1]["body"].decode()
    assert '<html lang="ar" dir="rtl"' in body
    assert tongue("ar").text("Pause") in body
    assert dict(sent[0]["headers"])[b"content-length"] == str(len(sent[1]["body"])).encode()


def test_scripts_are_read_for_what_they_say() -> None:
    assert {"Pause", "You are muted", "Nobody runs or waits."} <= set(script_texts())
