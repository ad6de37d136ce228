"""provenance.json: the same data give the same hashes, other data others, and no time or place is in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from copies import rows_of, scanned, write_pictures
from PIL import Image

from trainers.copying.provenance import images_digest, provenance


def test_hashes_follow_the_data(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_pictures(tmp_path / name / "images")
        lines = ["file,label", *(f"{row[1]},{row[3]}" for row in rows_of())]
        (tmp_path / name / "labels.csv").write_text("\n".join(lines) + "\n", "utf-8")
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / "two" / "images" / "bild_ä03.png")
    one, two = scanned(tmp_path / "one", select=["IN001"]).dataset, scanned(tmp_path / "two", select=["IN001"]).dataset
    assert images_digest(one) != images_digest(two)
    table = (tmp_path / "one" / "labels.csv").read_bytes()
    made = provenance(one, {"labels.csv": table}, tool_version="1", configuration={"seed": 0}, seeds=(0, 1), device="cpu")
    content = json.loads(made)
    assert content["dataset"]["label_tables_blake2b"] == {"labels.csv": hashlib.blake2b(table, digest_size=20).hexdigest()}
    assert content["dataset"]["images_blake2b"] == images_digest(one)
    assert content["versions"]["medaudit"] == "1"
    assert {"python", "numpy", "torch"} <= set(content["versions"])
    assert made == provenance(
        one, {"labels.csv": table}, tool_version="1", configuration={"seed": 0}, seeds=(0, 1), device="cpu"
    )
    assert str(tmp_path).encode() not in made
