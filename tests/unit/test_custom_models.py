"""Every form in which a person may name a model by hand, and what is no such form."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.backends import BACKENDS
from shared.catalog import Catalog, ModelSpec, Variant
from shared.catalog.custom import resolve
from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest, UnknownModel
from shared.settings import Settings
from shared.tasks import Mode, Task
from tests.support.fakes import SMALL, ask


def named(text: str, settings: Settings | None = None) -> ModelSpec:
    """The model of that name, which there must be."""
    spec = resolve(text, settings or Settings())
    assert spec is not None
    assert spec.task == Task.CHAT and spec.license.startswith("unknown")
    assert all(v.backend in BACKENDS for v in spec.variants)
    return spec


def ways(spec: ModelSpec) -> list[tuple[str, str, str | None]]:
    return [(v.backend, v.repo_id, v.filename) for v in spec.variants]


def test_a_hub_id_runs_here_in_full_quantized_or_by_providers() -> None:
    spec = named(" org/Some-Model_1.5B ")
    assert (spec.id, spec.name) == ("org/Some-Model_1.5B", "Some-Model_1.5B")
    assert [v.mode for v in spec.variants] == [Mode.LOCAL, Mode.QUANTIZED, Mode.HOSTED]
    assert {v.repo_id for v in spec.variants} == {"org/Some-Model_1.5B"}


def test_one_gguf_file_of_a_hub_repository() -> None:
    spec = named("org/model-GGUF/sub/model-Q4_K_M.gguf")
    assert ways(spec)[0] == ("llama_cpp", "org/model-GGUF", "sub/model-Q4_K_M.gguf")
    assert spec.variants[0].quantization == "Q4_K_M"


@pytest.mark.parametrize(
    ("file", "quantization"),
    [
        ("m.Q8_0.gguf", "Q8_0"),
        ("m-iq2_xs.gguf", "IQ2_XS"),
        ("m-bf16.gguf", "BF16"),
        ("gpt-mxfp4.gguf", "MXFP4"),
        ("plain.gguf", "GGUF"),
    ],
)
def test_a_gguf_files_quantization_is_read_from_its_name(file: str, quantization: str) -> None:
    assert named(f"org/repo/{file}").variants[0].quantization == quantization


def test_a_gguf_file_of_this_machine_is_sized_by_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tiny-Q4_0.gguf"
    with file.open("wb") as sparse:
        sparse.truncate(50_000_000)
    spec = named(str(file))
    assert ways(spec)[0] == ("llama_cpp", str(file), None)
    assert spec.variants[0].memory_gb > 0
    assert spec.variants[1].mode == Mode.LOCAL and spec.variants[1].memory_gb > spec.variants[0].memory_gb


def test_a_gguf_file_beside_the_server_goes_before_one_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org" / "repo").mkdir(parents=True)
    (tmp_path / "org" / "repo" / "m.gguf").write_bytes(b"GGUF")
    assert named("org/repo/m.gguf").variants[0].filename is None
    elsewhere = named("org/repo/m.gguf", Settings(public=True)).variants[0]
    assert elsewhere.filename == "m.gguf", "a visitor learns nothing of the server's files"


def test_a_folder_of_this_machine(tmp_path: Path) -> None:
    assert {v.repo_id for v in named(str(tmp_path)).variants} == {str(tmp_path)}
    assert named("~/models/mine").variants[0].repo_id == str(Path.home() / "models" / "mine")


@pytest.mark.parametrize("text", ["/srv/models/m", "~/m", "../m", "./m", "m.gguf", "C:\\models\\m", "C:/models/m"])
def test_a_public_server_opens_no_path(text: str) -> None:
    with pytest.raises(InvalidRequest, match="owner/name"):
        resolve(text, Settings(public=True))


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "huggingface"])
def test_a_providers_model_by_its_own_name(provider: str) -> None:
    spec = named(f"{provider}:their-model:v2")
    assert ways(spec) == [(provider, "their-model:v2", None)]


def test_a_model_of_an_openai_compatible_provider() -> None:
    spec = named("groq:llama")
    assert spec.variants == (Variant(backend="openai_compatible", repo_id="llama", options={"endpoint": "groq"}),)
    assert spec.name == "llama (Groq)"


def test_a_model_of_any_server() -> None:
    spec = named("org/llama@http://127.0.0.1:8080/v1")
    assert spec.variants[0].backend == "openai_compatible" and spec.variants[0].repo_id == "org/llama"
    assert spec.variants[0].options == {"base_url": "http://127.0.0.1:8080/v1"}


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1/v1", "@http://127.0.0.1/v1", "m@ftp://x/v1", "m@http://", "m@http://a b"]
)
def test_a_server_without_a_model_or_an_address_is_told_the_form(text: str) -> None:
    with pytest.raises(InvalidRequest, match="MODEL@http://server:8000/v1"):
        resolve(text, Settings())


@pytest.mark.parametrize("address", ["http://me:hunter2@host/v1", "https://host/v1?key=hunter2"])
def test_a_password_in_an_address_is_refused_and_not_repeated(address: str) -> None:
    engine = Engine(Catalog([]), Settings(), SMALL)
    with pytest.raises(InferenceError) as caught:
        list(engine.generate(f"m@{address}", ask()))
    assert not isinstance(caught.value, UnknownModel)
    assert "hunter2" not in str(caught.value)
    assert "Your keys" in str(caught.value)


NONSENSE = ["", "gpt", "no such model", "a/b/c", "a/", "nobody:model", ":", "a:", "\0", "a/\0.gguf", "org/<script>"]
NO_PATHS = ["x" * 5000, "../" + "x" * 5000, "./" + "x" * 300, "~nobody-of-that-name/m"]


@pytest.mark.parametrize("text", NONSENSE + NO_PATHS, ids=lambda text: repr(text[:24]))
def test_whatever_is_typed_is_a_model_or_an_error_for_a_person(text: str) -> None:
    engine = Engine(Catalog([]), Settings(offline=True), SMALL)
    with pytest.raises((UnknownModel, InvalidRequest)) as caught:
        engine.find(text)
    assert 10 < len(str(caught.value)) < 500


@pytest.mark.parametrize("text", NONSENSE + NO_PATHS, ids=lambda t: repr(t[:24]))
def test_whatever_is_typed_on_a_public_server_as_well(text: str) -> None:
    with pytest.raises((UnknownModel, InvalidRequest)):
        Engine(Catalog([]), Settings(public=True), SMALL).find(text)
