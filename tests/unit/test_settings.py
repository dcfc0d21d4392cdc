"""The environment sets up a server; a session's own keys go before the server's."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from shared.settings import KEY_VARIABLES, Secret, Settings, from_environment


def test_an_empty_environment_gives_a_server_for_oneself() -> None:
    assert from_environment({}) == Settings()
    assert from_environment({"PLAYGROUND_PORT": " ", "OPENAI_API_KEY": "  "}) == Settings()


def test_what_the_environment_says_is_read() -> None:
    settings = from_environment(
        {
            "PLAYGROUND_PORT": "8000",
            "PLAYGROUND_DATA": "/data",
            "PLAYGROUND_MEMORY_GB": "3.5",
            "PLAYGROUND_THREADS": "2",
            "PLAYGROUND_OFFLINE": "Yes",
            "PLAYGROUND_FIRST_OUTPUT_TIMEOUT": "1.5",
            "GROQ_BASE_URL": "http://127.0.0.1:1/v1",
            "MISTRAL_BASE_URL": "",
        }
    )
    assert (settings.port, settings.data_dir, settings.memory_budget_gb) == (8000, Path("/data"), 3.5)
    assert (settings.threads, settings.offline, settings.first_output_timeout) == (2, True, 1.5)
    assert settings.base_urls == {"groq": "http://127.0.0.1:1/v1"}


@pytest.mark.parametrize(("text", "offline"), [("1", True), ("true", True), ("0", False), ("no", False), ("", False)])
def test_the_hubs_own_offline_switch_counts(text: str, offline: bool) -> None:
    assert from_environment({"HF_HUB_OFFLINE": text}).offline is offline


@pytest.mark.parametrize("name", ["PLAYGROUND_PORT", "PLAYGROUND_MEMORY_GB", "PLAYGROUND_HUB_TIMEOUT"])
def test_a_number_that_is_none_is_told_by_the_variables_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a number; it is 'many'"):
        from_environment({name: "many"})


def test_where_the_certificate_lies_is_read() -> None:
    settings = from_environment({"PLAYGROUND_C2PA_CERT": "/etc/c.pem", "PLAYGROUND_C2PA_KEY": "~/k.pem"})
    assert (settings.c2pa_cert, settings.c2pa_key) == (Path("/etc/c.pem"), Path.home() / "k.pem")


@pytest.mark.parametrize(("text", "safety"), [("off", "off"), (" Strict ", "strict"), ("", "standard")])
def test_how_careful_the_check_of_pictures_is(text: str, safety: str) -> None:
    assert from_environment({"PLAYGROUND_SAFETY": text}).safety == safety


def test_a_word_that_says_nothing_about_safety_is_told() -> None:
    with pytest.raises(ValueError, match="PLAYGROUND_SAFETY must be one of off, standard, strict; it is 'yes'"):
        from_environment({"PLAYGROUND_SAFETY": "yes"})


@pytest.mark.parametrize(
    ("environment", "public"),
    [
        ({}, False),
        ({"PLAYGROUND_HOST": "localhost"}, False),
        ({"PLAYGROUND_HOST": "0.0.0.0"}, True),
        ({"GRADIO_SERVER_NAME": "192.168.0.5"}, True),
        ({"SPACE_ID": "someone/space"}, True),
    ],
)
def test_a_server_that_others_reach_is_public(environment: dict[str, str], public: bool) -> None:
    assert from_environment(environment).public is public


def test_listening_elsewhere_makes_a_server_public_and_back() -> None:
    assert Settings().on_host("0.0.0.0").public
    assert not Settings().on_host("0.0.0.0").on_host("::1").public
    assert Settings(space_id="a/b", public=True).on_host("127.0.0.1").public


@pytest.mark.parametrize("name", KEY_VARIABLES)
def test_every_key_is_read_by_its_own_name(name: str) -> None:
    key = from_environment({name: " the-key "}).key(name)
    assert key and key.reveal() == "the-key"


@pytest.mark.parametrize(
    ("other", "name"), [("GOOGLE_API_KEY", "GEMINI_API_KEY"), ("HUGGING_FACE_HUB_TOKEN", "HF_TOKEN")]
)
def test_a_providers_older_name_works_and_the_newer_goes_first(other: str, name: str) -> None:
    assert from_environment({other: "old"}).key(name).reveal() == "old"  # type: ignore[union-attr]
    assert from_environment({other: "old", name: "new"}).key(name).reveal() == "new"  # type: ignore[union-attr]


def test_a_sessions_key_goes_before_the_servers_and_only_in_that_session() -> None:
    server = from_environment({"OPENAI_API_KEY": "servers", "HF_TOKEN": "servers"})
    session = server.with_session_keys({"OPENAI_API_KEY": "mine", "HF_TOKEN": "  ", "GROQ_API_KEY": ""})
    assert session.key("OPENAI_API_KEY").reveal() == "mine"  # type: ignore[union-attr]
    assert session.key("HF_TOKEN").reveal() == "servers"  # type: ignore[union-attr]
    assert session.key("GROQ_API_KEY") is None
    assert server.key("OPENAI_API_KEY").reveal() == "servers"  # type: ignore[union-attr]


def test_keys_are_taken_out_of_a_text() -> None:
    settings = from_environment({"HF_TOKEN": "hub-one"}).with_session_keys({"OPENAI_API_KEY": "own-two"})
    assert settings.without_keys("a hub-one b own-two c") == "a ••• b ••• c"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{0!r:>9}".format, lambda s: str([s])])
def test_no_way_of_showing_a_key_shows_it(show) -> None:  # type: ignore[no-untyped-def]
    assert "hidden" not in show(Secret("hidden"))


def test_a_key_is_not_copied_into_other_places() -> None:
    with pytest.raises(TypeError):
        copy.deepcopy(Secret("hidden"))


def test_on_zero_gpu_runs_are_lent_a_gpu_unless_somebody_says_otherwise() -> None:
    lent = from_environment({"SPACES_ZERO_GPU": "true", "PLAYGROUND_PLACED": "a/b, c"})
    assert lent.pool == "zerogpu" and lent.placed == ("a/b", "c")
    assert from_environment({"SPACES_ZERO_GPU": "true", "PLAYGROUND_POOL": "local"}).pool == "local"
    assert from_environment({}).pool == "local"


def test_behind_a_tunnel_a_server_is_public_wherever_it_listens() -> None:
    tunnelled = from_environment({"PLAYGROUND_PUBLIC": "1"})
    assert tunnelled.public and tunnelled.on_host("127.0.0.1").public
