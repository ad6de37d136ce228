"""provenance.json: from which data, with which tools, settings and seeds a copy was made."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

from auditor.values.dataset import Dataset

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "torch", "monai", "Pillow", "pydicom", "pyarrow")


def provenance(
    dataset: Dataset,
    tables: Mapping[str, bytes],
    *,
    tool_version: str,
    configuration: Mapping[str, object],
    seeds: Sequence[int] = (),
    device: str = "",
) -> bytes:
    """The file's content: hashes, versions, settings; no value of a record, no name of a person, no time.

    Args:
        dataset: after `extract`: the images are told by the digest over all their fingerprints.
        tables: label tables, name → content.
        configuration: what was asked for, as plain values.
    """
    content = {
        "dataset": {
            "name": dataset.summary.name,
            "layout": dataset.summary.layout,
            "records": dataset.size,
            "label_tables_blake2b": {name: hashlib.blake2b(data, digest_size=20).hexdigest() for name, data in tables.items()},
            "images_blake2b": images_digest(dataset),
        },
        "versions": {"medaudit": tool_version, "python": platform.python_version(), **versions()},
        "platform": f"{platform.system()} {platform.machine()}",
        "device": device,
        "seeds": list(seeds),
        "configuration": configuration,
    }
    return (json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n").encode()


def images_digest(dataset: Dataset) -> str | None:
    """One digest over path and content of all images, in the order of their names; None before `extract`."""
    marks = dataset.fingerprints
    if "bytes" not in marks:
        return None
    known = marks["bytes"].fillna("").astype(str) + "\t" + (marks["pixels"].fillna("").astype(str) if "pixels" in marks else "")
    lines = sorted(f"{record}\t{digest}\n" for record, digest in zip(marks.index, known, strict=True))
    return hashlib.blake2b("".join(lines).encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def versions() -> dict[str, str]:
    """Of the packages that the outcome rests on, as far as they are installed."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
