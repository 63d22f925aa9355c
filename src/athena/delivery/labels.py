"""What an image's file says of itself: prompt, parameters, job, seed.

Written beside the image's own data, never through a decoder, so not one pixel changes: PNG keeps
it in iTXt chunks, WebP in XMP (a simple WebP becomes an extended one). Other forms stay as they
are.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import quoteattr

from athena.delivery.image_kinds import ImageKind, kind_of

_PNG = b"\x89PNG\r\n\x1a\n"
_XMP_FLAG = 0x04
_ALPHA_FLAG = 0x10


def labelled(data: bytes, fields: Mapping[str, str]) -> bytes:
    """The image with these fields written into it; empty ones are left out."""
    said = {name: text for name, text in fields.items() if text}
    try:
        match kind_of(data):
            case ImageKind.PNG:
                return _png(data, said)
            case ImageKind.WEBP:
                return _webp(data, said)
    except (struct.error, IndexError):
        pass  # cut off somewhere: the program that opens it will say so
    return data


def _png(data: bytes, fields: Mapping[str, str]) -> bytes:
    """After the header, and instead of what the file said under these names before."""
    out = bytearray(_PNG)
    for kind, body in _png_chunks(data):
        if kind in (b"tEXt", b"iTXt") and body.partition(b"\0")[0].decode("latin-1") in fields:
            continue
        out += _png_chunk(kind, body)
        if kind == b"IHDR":
            for name, text in fields.items():
                said = name.encode("latin-1", "replace") + b"\0\0\0\0\0" + text.encode()
                out += _png_chunk(b"iTXt", said)
    return bytes(out)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _webp(data: bytes, fields: Mapping[str, str]) -> bytes:
    chunks = [(kind, body) for kind, body in _riff_chunks(data) if kind != b"XMP "]
    chunks = _extended(chunks)
    kind, header = chunks[0]
    chunks[0] = kind, bytes([header[0] | _XMP_FLAG]) + header[1:]
    chunks.append((b"XMP ", _xmp(fields)))
    body = b"".join(map(_riff_chunk, chunks))
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _riff_chunk(chunk: tuple[bytes, bytes]) -> bytes:
    kind, body = chunk
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _extended(chunks: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """With the header that a file needs that holds more than an image."""
    kind, body = chunks[0]
    if kind == b"VP8X":
        return chunks
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", body, 1)
        wide, high = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _ALPHA_FLAG if bits >> 28 & 1 else 0
    else:
        wide, high = (side & 0x3FFF for side in struct.unpack_from("<HH", body, 6))
        flags = 0
    header = struct.pack("<I", flags) + _three(wide - 1) + _three(high - 1)
    return [(b"VP8X", header), *chunks]


def _three(number: int) -> bytes:
    return struct.pack("<I", number)[:3]


_NAMES = "https://www.midjourney.com/"


def _xmp(fields: Mapping[str, str]) -> bytes:
    said = " ".join(f"mj:{name}={quoteattr(text)}" for name, text in fields.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:mj="{_NAMES}" {said}/></rdf:RDF></x:xmpmeta>'
    ).encode()
