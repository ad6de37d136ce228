"""Names of files in a zip or tar archive, from its first and last bytes: nothing is unpacked, nothing is believed but names.

Source: PKWARE APPNOTE 6.3.10, 4.3.7 and 4.3.12; POSIX.1-2017, pax, "ustar Interchange Format".
"""

from __future__ import annotations

from auditor.containers.inflate import gunzip_start

IMAGES = (
    ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm", ".dicom", ".ima", ".nii", ".nii.gz", ".nrrd", ".mha", ".mhd",
    ".npy", ".npz", ".webp", ".gif", ".svs", ".ndpi", ".mrxs", ".h5", ".pgm", ".ppm", ".jp2", ".avi", ".mp4",
)  # fmt: skip
TABLES = (".csv", ".tsv", ".xlsx", ".xls", ".json", ".jsonl", ".parquet", ".xml")
SUFFIXES = ("zip", "tar", "tgz", "tar.gz", "tar.bz2", "tar.xz", "7z", "rar")
"""How archives are called; of the last four only the name is known."""
_BLOCK = 512
_MOST = 20_000
MOST_BYTES = 1 << 20
"""So much of a compressed archive is looked at."""


def names_in(content: bytes) -> list[str]:
    """Names in the beginning (and end) of an archive's bytes; none where it is none, or compressed otherwise than by gzip."""
    if content[:4] == b"PK\x03\x04":
        return _of_zip(content)
    plain = gunzip_start(content, MOST_BYTES) or content
    return _of_tar(plain) if plain[257:262] == b"ustar" else []


def holds_images(names: list[str]) -> bool:
    """A file in it is called like an image."""
    return any(name.lower().endswith(IMAGES) for name in names)


def holds_tables(names: list[str]) -> bool:
    """A file in it is called like a table or a file of annotations."""
    return any(name.lower().endswith(TABLES) for name in names)


def _of_zip(content: bytes) -> list[str]:
    """From the local headers at the beginning and the central directory at the end."""
    found: list[str] = []
    for mark, length_at, name_at in ((b"PK\x03\x04", 26, 30), (b"PK\x01\x02", 28, 46)):
        place = content.find(mark)
        while place >= 0 and len(found) < _MOST:
            length = int.from_bytes(content[place + length_at : place + length_at + 2], "little")
            found.append(content[place + name_at : place + name_at + length].decode("utf-8", "replace"))
            place = content.find(mark, place + 4)
    return found


def _of_tar(content: bytes) -> list[str]:
    """From the headers, as far as they lie in the beginning."""
    found: list[str] = []
    place = 0
    while place + _BLOCK <= len(content) and content[place + 257 : place + 262] == b"ustar" and len(found) < _MOST:
        header = content[place : place + _BLOCK]
        found.append(header[:100].split(b"\0", 1)[0].decode("utf-8", "replace"))
        digits = header[124:136].strip(b"\0 ")
        size = int(digits, 8) if digits and all(48 <= digit < 56 for digit in digits) else 0
        place += _BLOCK + -(-size // _BLOCK) * _BLOCK
    return found
