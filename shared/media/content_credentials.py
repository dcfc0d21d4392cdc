"""Signs a finished picture with Content Credentials (C2PA): who made it, and that a model did.

Signing comes last, after `labelling.label`: whatever is written into a signed file makes it read as tampered with.
The certificate's owner and what the action was are all it says; the prompt and settings stay in the file's own texts.
"""

from __future__ import annotations

import io
import json
import logging
from typing import Any

from shared.errors import BackendError
from shared.media.credentials import has_credentials
from shared.settings import Settings

logger = logging.getLogger(__name__)

_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# Nothing is fetched, no small copy of the picture is added, and the signed file is checked before it is given out.
_CONTEXT = {
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": True},
}


def signs(settings: Settings) -> bool:
    """Whether this server was given a certificate to sign pictures with."""
    return bool(settings.c2pa_cert or settings.c2pa_key)


def sign(data: bytes, media_type: str, settings: Settings, *, edited: bool = False) -> bytes:
    """The PNG, JPEG or WebP, signed. `edited`: it was drawn from another picture, not from words alone.

    Given back as it is: where no certificate is set, and a file that its maker signed already.
    Raises `BackendError` where the certificate is of no use; the picture itself is whole then, and unsigned.
    """
    if not signs(settings) or has_credentials(data):
        return data
    certificates, key = _file(settings, "cert"), _file(settings, "key")
    from c2pa import Builder, C2paError, C2paSignerInfo, Context, Signer

    signed = io.BytesIO()
    try:
        with (
            Context.from_dict(_CONTEXT) as context,
            Builder(json.dumps(_manifest(edited)), context=context) as builder,
            Signer.from_info(C2paSignerInfo(_algorithm(key), certificates, key, None)) as signer,
        ):
            builder.sign(signer, media_type, io.BytesIO(data), signed)
    except (C2paError, ValueError, TypeError, LookupError) as error:
        logger.warning("A picture couldn't be signed: %s: %s", type(error).__name__, error)
        raise _unsigned("the certificate, its key or the picture's file was refused") from None
    return signed.getvalue()


def _manifest(edited: bool) -> dict[str, Any]:
    source = "compositeWithTrainedAlgorithmicMedia" if edited else "trainedAlgorithmicMedia"
    action = {"action": "c2pa.created", "digitalSourceType": _SOURCE + source}
    return {
        "claim_generator_info": [{"name": "genai-playgrounds"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }


def _file(settings: Settings, which: str) -> bytes:
    variable = f"PLAYGROUND_C2PA_{which.upper()}"
    path = settings.c2pa_cert if which == "cert" else settings.c2pa_key
    if path is None:
        raise _unsigned(f"{variable} is not set")
    try:
        return path.read_bytes()
    except OSError:
        raise _unsigned(f"the file that {variable} names can't be read") from None


def _algorithm(key: bytes) -> str:
    """The signature that goes with the kind of key. Raises `ValueError` or `TypeError` for one that can't be used."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    private = load_pem_private_key(key, password=None)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return {256: "es256", 384: "es384", 521: "es512"}[private.curve.key_size]
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256"
    raise ValueError("no kind of key that Content Credentials know")


def _unsigned(why: str) -> BackendError:
    return BackendError(
        f"The picture is whole but isn't signed: {why}. The server's keeper can mend this: PLAYGROUND_C2PA_CERT names "
        "a PEM file with the certificate and those above it, PLAYGROUND_C2PA_KEY one with its private key."
    )
