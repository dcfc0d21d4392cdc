"""Does a picture carry Content Credentials? Any change to such a file makes them read as tampered with."""

from __future__ import annotations

from shared.media import exif, png

_ELSEWHERE = b"dcterms:provenance"  # in XMP: the credentials lie at an address, and cover the file all the same


def has_credentials(data: bytes) -> bool:
    """Whether the PNG, JPEG or WebP carries or names Content Credentials. A broken file: what of it can be read."""
    try:
        if data.startswith(png.SIGNATURE):
            return any(
                c.kind == b"caBX" or (c.keyword == png.XMP and _ELSEWHERE in bytes(c.data)) for c in png.chunks(data)
            )
        if data.startswith(b"RIFF"):
            return any(k == b"C2PA" or (k == b"XMP " and _ELSEWHERE in b) for k, b in exif.webp_chunks(data))
        segments = exif.jpeg_segments(data)
        return any((m == 0xEB and body[:2] == b"JP") or (m == 0xE1 and _ELSEWHERE in body) for m, body, _ in segments)
    except ValueError:
        return False
