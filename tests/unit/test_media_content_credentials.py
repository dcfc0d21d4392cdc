"""A signed picture is what the server's certificate says it is, keeps its settings, and shows any change after."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from c2pa import Context, Reader
from PIL import Image

from shared.errors import BackendError
from shared.media.content_credentials import sign, signs
from shared.media.credentials import has_credentials
from shared.media.labelling import label
from shared.media.restoring import restore
from shared.receipts import Receipt
from shared.requests import ImagePart, ImageRequest
from shared.settings import Settings, from_environment
from tests.support.certificates import Chain, make_chain
from tests.support.pictures import encoded, pixels

RECEIPT = Receipt(model="m", name="M", task="text-to-image", backend="fake", mode="local", license="MIT")
REQUEST = ImageRequest(prompt="a fox in the “snow”", num_inference_steps=12, seed=4)
FORMS = [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return make_chain(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def settings(chain: Chain) -> Settings:
    return from_environment({"PLAYGROUND_C2PA_CERT": str(chain.certificates), "PLAYGROUND_C2PA_KEY": str(chain.key)})


def read(data: bytes, media_type: str, root: str = "") -> Reader:
    trusting: dict[str, Any] = {"trust": {"trust_anchors": root}, "verify": {"verify_trust": True}}
    offline: dict[str, Any] = {"verify": {"remote_manifest_fetch": False}}
    return Reader(media_type, io.BytesIO(data), context=Context.from_dict(trusting if root else offline))


def labelled(form: str, media_type: str) -> bytes:
    return label(ImagePart(encoded(form), media_type), RECEIPT, REQUEST, 5).data


@pytest.mark.parametrize(("form", "media_type"), FORMS)
def test_a_signed_picture_is_valid_and_keeps_its_settings_and_pixels(
    form: str, media_type: str, settings: Settings, chain: Chain
) -> None:
    before = labelled(form, media_type)
    signed = sign(before, media_type, settings)
    assert read(signed, media_type).get_validation_state() == "Valid"
    assert read(signed, media_type, chain.root).get_validation_state() == "Trusted"
    assert has_credentials(signed) and not has_credentials(before)
    assert restore(signed) == restore(before) and restore(signed).prompt == REQUEST.prompt
    with Image.open(io.BytesIO(signed)) as after, Image.open(io.BytesIO(before)) as untouched:
        assert after.tobytes() == untouched.tobytes()


@pytest.mark.parametrize(
    ("edited", "source"), [(False, "trainedAlgorithmicMedia"), (True, "compositeWithTrainedAlgorithmicMedia")]
)
def test_it_says_that_a_model_made_it(settings: Settings, edited: bool, source: str) -> None:
    signed = sign(labelled("PNG", "image/png"), "image/png", settings, edited=edited)
    manifest = read(signed, "image/png").get_active_manifest()
    assert manifest is not None
    (actions,) = [a["data"]["actions"] for a in manifest["assertions"] if a["label"] == "c2pa.actions.v2"]
    assert [(a["action"], a["digitalSourceType"].rpartition("/")[2]) for a in actions] == [("c2pa.created", source)]
    assert manifest["signature_info"]["common_name"] == "Playground"
    told = json.dumps(manifest)
    assert "snow" not in told and "key.pem" not in told, "the prompt stays out of what can't be taken out again"


@pytest.mark.parametrize("kind", ["ec384", "ed25519", "rsa"])
def test_every_usual_kind_of_key_signs(kind: str, tmp_path: Path) -> None:
    chain = make_chain(tmp_path, kind)
    settings = Settings(c2pa_cert=chain.certificates, c2pa_key=chain.key)
    signed = sign(encoded(), "image/png", settings)
    assert read(signed, "image/png", chain.root).get_validation_state() == "Trusted"


@pytest.mark.parametrize(("form", "media_type"), FORMS)
def test_a_change_after_signing_shows(form: str, media_type: str, settings: Settings) -> None:
    signed = sign(labelled(form, media_type), media_type, settings)
    at = signed.index("a fox in".encode("utf-16-be" if form != "PNG" else "utf-8"))
    changed = signed[:at] + b"b" + signed[at + 1 :]
    assert read(changed, media_type).get_validation_state() == "Invalid"


def test_a_signed_picture_is_neither_signed_nor_labelled_again(settings: Settings) -> None:
    signed = sign(labelled("PNG", "image/png"), "image/png", settings)
    assert sign(signed, "image/png", settings) is signed
    again = label(ImagePart(signed, "image/png"), RECEIPT, REQUEST, 5)
    assert again.data is signed and again.sidecar


def test_without_a_certificate_nothing_is_signed() -> None:
    data = encoded()
    assert not signs(Settings()) and sign(data, "image/png", Settings()) is data


def refusal(settings: Settings, data: bytes | None = None, media_type: str = "image/png") -> str:
    with pytest.raises(BackendError) as caught:
        sign(data or encoded(image=pixels()), media_type, settings)
    text = str(caught.value)
    assert "isn't signed" in text and "key.pem" not in text and "/tmp" not in text
    return text


def test_a_certificate_without_its_key_is_told(settings: Settings) -> None:
    assert signs(replace(settings, c2pa_key=None))
    assert "PLAYGROUND_C2PA_KEY is not set" in refusal(replace(settings, c2pa_key=None))
    assert "PLAYGROUND_C2PA_CERT is not set" in refusal(replace(settings, c2pa_cert=None))


def test_files_that_are_missing_or_of_no_use_are_told(settings: Settings, chain: Chain, tmp_path: Path) -> None:
    assert "PLAYGROUND_C2PA_KEY names can't be read" in refusal(replace(settings, c2pa_key=tmp_path / "key.pem"))
    (tmp_path / "key.pem").write_bytes(b"not a key")
    assert "was refused" in refusal(replace(settings, c2pa_key=tmp_path / "key.pem"))
    assert "was refused" in refusal(replace(settings, c2pa_cert=chain.key))
    (tmp_path / "key.pem").write_bytes(make_chain(tmp_path, "ec256").key.read_bytes())
    assert "was refused" in refusal(replace(settings, c2pa_key=tmp_path / "key.pem")), "a key of another certificate"
    assert "was refused" in refusal(settings, b"no picture at all")


def test_a_certificate_that_has_run_out_is_told(tmp_path: Path) -> None:
    chain = make_chain(tmp_path, days=-30)
    assert "was refused" in refusal(Settings(c2pa_cert=chain.certificates, c2pa_key=chain.key))
