"""A certificate chain of the tests' own, of the kind that Content Credentials are signed with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Chain(NamedTuple):
    """Places of the chain's and the key's files, and the root as PEM."""

    certificates: Path
    key: Path
    root: str


def new_key(kind: str) -> Any:
    """A private key: `ec256`, `ec384`, `ed25519` or `rsa`."""
    if kind.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1() if kind == "ec256" else ec.SECP384R1())
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, 2048)


def make_chain(folder: Path, kind: str = "ec256", days: int = 30) -> Chain:
    """Write a chain whose last certificate is good for that many days from a year ago or, where positive, from now."""
    root_key, leaf_key = new_key("ec256"), new_key(kind)
    root = _certificate("Root", root_key, root_key, root_key, days=3650, authority=True)
    leaf = _certificate("Playground", leaf_key, root_key, root_key, days=days, authority=False)
    chain = Chain(folder / "chain.pem", folder / "key.pem", root.public_bytes(Encoding.PEM).decode())
    chain.certificates.write_bytes(leaf.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM))
    chain.key.write_bytes(leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain


def _certificate(subject: str, key: Any, issuer_key: Any, signer: Any, *, days: int, authority: bool) -> Any:
    begins = datetime.now(UTC) - timedelta(days=400)
    public = key.public_key()
    usage = {name: False for name in ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")}
    usage |= {"encipher_only": False, "decipher_only": False, "crl_sign": authority, "key_cert_sign": authority}
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("Root"))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=400 + days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=not authority, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not authority:
        usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(usages, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _name(common: str) -> x509.Name:
    parts = {NameOID.ORGANIZATION_NAME: "A school of the tests", NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])
