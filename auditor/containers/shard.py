"""Records of a shard: small files beside images under one key (WebDataset), or images inside a Parquet table (Hugging Face).

Called inside a bounded worker. Both end as images in a folder and one row per image.

Source: github.com/webdataset/webdataset, "The WebDataset Format"; huggingface.co/docs/datasets, "Image" and "ClassLabel".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from auditor.containers.archive_names import IMAGES
from auditor.containers.filling import Allowed, emptied
from auditor.containers.shard_extent import Row, Told
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

BATCH = 64
"""Rows of a Parquet table that are held at once."""
CLASS = "cls"
TEXTS = ("txt", "text")
DRAWN = ("seg", "mask", "segmentation", "label", "labels")
"""What stands before the suffix of a member that is drawn on the image of its key."""
MOST_CELL = 1 << 16
_MAGIC: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg", b"II*\0": ".tif", b"MM\0*": ".tif", b"BM": ".bmp", b"GIF8": ".gif",
    b"RIFF": ".webp",
}  # fmt: skip


def take_records(limits: Limits, folder: Path, files: Sequence[str]) -> list[Row]:
    """One row per image of a WebDataset shard; none where no image has a file of another kind under its key.

    Files whose content stands in a row are removed from the folder.

    Args:
        folder: where the members were written.
        files: their names, relative to it.

    Raises:
        UnreadableFile: they say more than a table can hold.

    Returns:
        `image` (relative to `folder`), `mask` where one is drawn, `label` of `.cls`, `text` of `.txt`, and what a `.json` says,
        key by key (numbers, texts and truth values; lists of those joined by `|`).
    """
    keyed: dict[str, dict[str, str]] = {}
    for name in files:
        key, ending = key_of(name)
        keyed.setdefault(key, {})[ending] = name
    rows: list[Row] = []
    told = Told(limits=limits)
    taken: list[Path] = []
    for members in keyed.values():
        images = [ending for ending in members if f".{ending}".endswith(IMAGES)]
        drawn = [ending for ending in images if ending.split(".")[0] in DRAWN and len(images) > 1]
        plain = [ending for ending in images if ending not in drawn]
        if not plain:
            continue
        row: Row = {"image": members[plain[0]]}
        if drawn:
            row["mask"] = members[drawn[0]]
        for ending, name in members.items():
            if ending not in images and (said := _said(folder / name, ending, limits)):
                row = {**said, **row}
                taken.append(folder / name)
        rows.append(row)
        told.add(row)
    for path in taken:
        path.unlink()
    return rows if any(len(row) > 1 for row in rows) else []


def key_of(name: str) -> tuple[str, str]:
    """`a/000012.seg.png` → (`a/000012`, `seg.png`): a key ends at the first point of the file's own name."""
    home, _, own = name.rpartition("/")
    key, _, ending = own.partition(".")
    return f"{home}/{key}" if home else key, ending.lower()


def _said(path: Path, ending: str, limits: Limits) -> Row:
    """What one small file says of its image."""
    if ending not in (CLASS, *TEXTS, "json") or path.stat().st_size > min(limits.document_bytes, limits.cell_bytes):
        return {}
    try:
        text = path.read_bytes().decode("utf-8").strip()
        if ending != "json":
            return {"label" if ending == CLASS else "text": text}
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {str(key): said for key, value in found.items() if (said := cell(value))} if isinstance(found, dict) else {}


def cell(value: Any) -> str:
    """A value as text in a table; empty for what has no place in one."""
    if isinstance(value, bool) or (isinstance(value, str | int | float) and len(str(value)) <= MOST_CELL):
        return str(value)
    if isinstance(value, list) and value and all(isinstance(one, str | int | float) for one in value):
        return "|".join(map(str, value))[:MOST_CELL]
    return ""


def image_column(schema: pa.Schema) -> str | None:
    """The column that holds images as bytes: `{bytes, path}`, or bytes called like an image."""
    for one in schema:
        if pa.types.is_struct(one.type) and one.type.get_field_index("bytes") >= 0:
            return str(one.name)
    binary = [one.name for one in schema if pa.types.is_binary(one.type) or pa.types.is_large_binary(one.type)]
    named = [name for name in binary if any(word in name.lower() for word in ("image", "img", "png", "jpg", "jpeg", "bytes"))]
    return str(named[0]) if named else None


def holds_pictures(limits: Limits, table: Path) -> bool:  # noqa: ARG001 - a worker's are set before
    """A Parquet table with images in it."""
    try:
        return image_column(parquet.read_schema(table)) is not None
    except (pa.ArrowException, OSError, ValueError):
        return False


def rows_of_parquet(limits: Limits, table: Path, folder: Path, allowed: Allowed) -> tuple[list[Row], int]:
    """Write the images of a Parquet table into `folder`, which is there; what is in it goes.

    Returns:
        One row per image: `image` (its file's name), and the other columns; classes of a `ClassLabel` by name. And the bytes.

    Raises:
        UnreadableFile: no such table, a row without an image, or more than is allowed.
    """
    try:
        return _written(parquet.ParquetFile(table), emptied(folder), allowed, limits)
    except MemoryError:  # Arrow's is one of its own errors as well
        raise
    except (pa.ArrowException, ValueError) as error:
        raise UnreadableFile("malformed", f"no whole Parquet table ({type(error).__name__})") from None
    except OSError as error:
        raise UnreadableFile("refused", f"it cannot be unpacked ({error.strerror or 'damaged'})") from None


def _written(file: parquet.ParquetFile, folder: Path, allowed: Allowed, limits: Limits) -> tuple[list[Row], int]:
    schema = file.schema_arrow
    name = image_column(schema)
    if name is None:
        raise UnreadableFile("unsupported", "a Parquet table without images")
    if file.metadata.num_rows > limits.table_rows:
        raise UnreadableFile("too-large", f"a table of more than {limits.table_rows:,} rows")
    if file.metadata.num_rows > allowed.files:
        raise allowed.too_many()
    classes = class_names(schema)
    rows: list[Row] = []
    told = Told(limits=limits)
    used: set[str] = set()
    size = 0
    for batch in file.iter_batches(batch_size=BATCH):
        for record in batch.to_pylist():
            held = record.pop(name)
            content, called = (held.get("bytes"), held.get("path")) if isinstance(held, dict) else (held, None)
            if not isinstance(content, bytes):
                raise UnreadableFile("malformed", f"row {len(rows) + 1:,} holds no image")
            size += len(content)
            if size > allowed.bytes:
                raise allowed.too_large()
            own = _file_name(called, content, len(rows), used)
            with (folder / own).open("xb") as out:
                out.write(content)
            cells = {key: classes[key].get(value, "") if key in classes else cell(value) for key, value in record.items()}
            rows.append({**{key: text for key, text in cells.items() if text}, "image": own})
            told.add(rows[-1])
    return rows, size


def _file_name(called: object, content: bytes, number: int, used: set[str]) -> str:
    """The image's own name, where it has one that nobody else has; else its number."""
    suffix = next((suffix for magic, suffix in _MAGIC.items() if content.startswith(magic)), ".dcm")
    own = PurePosixPath(called.replace("\\", "/")).name if isinstance(called, str) else ""
    taken = not own or own.startswith(".") or own.casefold() in used or len(own.encode("utf-8", "replace")) > 200 or "\0" in own
    name = f"{number:06d}{suffix}" if taken else own
    again = 2
    while name.casefold() in used:  # an image before it is called like its number
        name, again = f"{number:06d}-{again}{suffix}", again + 1
    used.add(name.casefold())
    return name


def class_names(schema: pa.Schema) -> dict[str, dict[int, str]]:
    """Column → number → class, of the `ClassLabel` columns that a Parquet table of Hugging Face describes."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            str(name): dict(enumerate(map(str, said["names"])))
            for name, said in features.items()
            if isinstance(said, dict) and said.get("_type") == "ClassLabel" and isinstance(said.get("names"), list)
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}
