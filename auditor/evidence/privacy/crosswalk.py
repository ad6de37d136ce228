"""The private file that says what stands behind `column 7`, `site 2`, `reader 3`, `withheld-1` of a report.

It undoes what every output does, so it is written on demand alone, for its owner's eyes (mode 0600), and never where data or
reports lie, which are given away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from auditor.evidence.privacy.places import kept_texts, shown_keys, told
from auditor.evidence.privacy.withhold import part_names, telling_parts
from auditor.files import OWN_OUTPUT, head_of, write_files
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError

KIND = "medaudit crosswalk"
"""What the file says of itself, so that no other file is replaced by it."""
WARNING = "This file leads from a report back to people. Keep it where the clinical data are kept; never beside a report."


def check_crosswalk(path: Path, folders: Sequence[Path] = (), files: Sequence[Path] = ()) -> None:
    """Refuse a place that could be given away.

    Args:
        path: where the crosswalk shall lie.
        folders: of data and copies: it lies in none of them, at no depth.
        files: outputs: it does not lie beside one of them.

    Raises:
        ConfigError: it would lie there, or would replace a file that is no crosswalk.
    """
    own = path.resolve()
    if any(own == folder.resolve() or own.is_relative_to(folder.resolve()) for folder in folders):
        raise ConfigError(f"--crosswalk {path}: lies in the folder of the data or of the copy; name a place outside")
    if OWN_OUTPUT in own.parts or any(own.parent == file.resolve().parent or own == file.resolve() for file in files):
        raise ConfigError(f"--crosswalk {path}: lies beside an output, and would be given away with it; name another folder")
    if own.exists() and not is_crosswalk(own):
        raise ConfigError(f"--crosswalk {path}: there is a file that is no crosswalk; name another")


def is_crosswalk(path: Path) -> bool:
    """The file was written here."""
    try:
        return KIND.encode() in head_of(path, 200)
    except OSError:
        return False


def write_crosswalk(path: Path, datasets: Mapping[str, Dataset]) -> None:
    """Write the crosswalk of a dataset, or of several (name → dataset), whole or not at all.

    Raises:
        ConfigError: it would lie in the folder of one of them.
        MedauditError: it cannot be written.
    """
    check_crosswalk(path, [dataset.root for dataset in datasets.values()])
    content = {
        "kind": KIND,
        "keep": WARNING,
        "datasets": [
            {"name": name, "folder": str(dataset.root), "shown": rows_of(dataset)} for name, dataset in datasets.items()
        ],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_files({path: text.encode("utf-8", "surrogateescape")}, mode=0o600)


def rows_of(dataset: Dataset) -> list[dict[str, str]]:
    """What is shown, what it is of, and what it stands for: parts of paths first, then columns and values."""
    parts = part_names(dataset)
    rows = [{"shown": parts[part], "of": "path", "value": part} for part in telling_parts(dataset)]
    kept, seen = kept_texts(dataset), set[str]()
    for text, place, of in told(dataset):
        keys = shown_keys(text, kept)
        if keys and keys[0] not in seen:
            seen.add(keys[0])
            rows.append({"shown": place, "of": of, "value": text})
    return rows
