"""What is no picture, mutated: `python benchmarks/hostile.py --tables 6000`. Same seed, same mutants.

Seeds are small tables of every form (csv, tsv, jsonl, json, Parquet with text, numbers, dates, lists), settings, annotations in
XML, JSON, YAML and text, descriptions, sidecars, npz of labels, predictions, keyed hashes, answers, the memory and ledgers of a
corrected copy, its network, results and their side files. Bytes are mutated as those of pictures are; values of JSON are
exchanged for others as well. Each is read as the command does that is given it, by the same workers, and must end in a value or
in one line of ours.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import resource
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from auditor.config import read_config
from auditor.evidence.labels.review import read_review
from auditor.evidence.quality.checksums import measure_checksums
from auditor.layouts.medmnist import array_pairs
from auditor.reading.jobs import run_job
from auditor.reading.standing import STANDING
from auditor.tables.tables import read_table
from auditor.values.errors import MedauditError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.privacy import Privacy
from reports.load import load
from trainers.copying.corrected_copy import STATE, read_state
from trainers.engine.model_file import DESCRIPTION, WEIGHTS, load_model, save_model
from trainers.engine.models import network_named
from trainers.kinds import task_named
from trainers.values.recipe import Normalisation, Recipe, Trained

ROWS = [
    {"image": f"im{i}.png", "patient": f"P{i // 2}", "label": "ab"[i % 2], "age": 40 + i, "when": "2020-01-02"}
    for i in range(30)
]
VALUES: tuple[Any, ...] = (None, True, -1, 10**30, 1e308, "", "../x", "\0", [], {}, [[]], {"a": 1}, "\udcff", ["x"], "9" * 5000)
TOML = '[dataset]\nlayout = "table"\n[roles]\nlabel = "label"\n[privacy]\npseudonyms = "P[0-9]+"\n[limits]\nseconds = 3.5\n'
STATE_OF_COPY = {
    "written_by": "medaudit", "state_version": 1, "form": "table", "tables": ["labels.csv"],
    "names": {"label": "label_corrected"},
    "existing": [], "virtual": {}, "roles": {}, "config": {"dataset": {"layout": "table"}, "roles": {"label": "label"}},
    "arrays": [],
    "root": "../data", "rewritten": False, "removals": [],
    "entries": [{"correction": {"record": "im1.png", "field": "label", "old": "b", "new": "a", "code": "LN001", "strategy": "s",
                                "reason": "r", "confidence": 0.9, "safe": True}, "edits": [[1, "label", "b", "a"]],
                 "applied": True, "note": ""}],
}  # fmt: skip
GOLDEN = Path(__file__).parents[1] / "tests" / "reports" / "golden"


XML = (
    "<annotation><filename>im1.png</filename>"
    + "".join(
        f"<object>\n<name>cell</name><bndbox><xmin>{i}</xmin><ymin>1</ymin>"
        f"<xmax>{i + 9}.5</xmax><ymax>9</ymax></bndbox></object>"
        for i in range(8)
    )
    + "</annotation>"
)
COCO = {
    "images": [{"id": i, "file_name": f"im{i}.png", "width": 8, "height": 8} for i in range(4)],
    "categories": [{"id": 1, "name": "cell"}],
    "annotations": [{"id": i, "image_id": i % 4, "category_id": 1, "bbox": [1, 2, 3, 4]} for i in range(9)],
}
NNUNET = {
    "channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "tumour": 1, "whole": [1, 2]}, "numTraining": 2,
    "training": [{"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}],
}  # fmt: skip
CROISSANT = {
    "conformsTo": "http://mlcommons.org/croissant/1.0",
    "distribution": [{"@type": "cr:FileObject", "contentUrl": "a.csv", "sha256": "0" * 64, "md5": "1" * 32}],
}
SIDECAR = {"Modality": "MR", "PatientName": "X^Y", "Scan": [{"EchoTime": 0.003, "Note": ["a", {"b": 1}]}]}
ANSWERS = {
    "format": "medaudit-review", "version": 1, "flagged": 3, "others": 27, "identity": "ab",
    "answers": [{"record": f"r{i}", "given": "a", "flagged": True, "answer": "right"} for i in range(5)],
}  # fmt: skip
CORRECTIONS = (
    b"record,field,old,new,confidence,reason,strategy,code,safe,applied,note\nim1.png,label,b,a,0.9,r,s,LN001,yes,yes,\n"
)
YAML = b"path: ../data\ntrain: images/train\nnames:\n  0: cell\n  1: other\n"


def packed(write: Callable[[io.BytesIO], object]) -> bytes:
    """What a writer writes into a stream."""
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def network(folder: Path) -> list[tuple[str, bytes]]:
    """The files of a saved network."""
    task = task_named(kind="single", classes=("a", "b"), channels=1, shape=(8, 8))
    save_model(
        Trained(
            network=network_named("small-cnn", task, width=4), task=task, recipe=Recipe(epochs=1, width=4),
            normalisation=Normalisation(mean=(0.5,), deviation=(0.2,)), seed=0, records=4,
        ),
        folder,
    )  # fmt: skip
    return [(f"model/{name}", (folder / name).read_bytes()) for name in (DESCRIPTION, WEIGHTS)]


def seeds(folder: Path) -> list[tuple[str, bytes]]:
    """(name, content) of one file of every form; `folder` is for what must be written to be had."""
    lines = [",".join(ROWS[0]), *(",".join(map(str, row.values())) for row in ROWS)]
    csv, jsonl = "\n".join(lines).encode(), "\n".join(map(json.dumps, ROWS)).encode()
    table = pa.Table.from_pylist(ROWS).append_column("list", pa.array([[1, 2]] * len(ROWS)))
    table = table.append_column("day", pa.array([10**6] * len(ROWS), pa.timestamp("us")))
    hashes = pa.table(
        {"bytes": ["ab" * 32] * 9, "pixels": ["cd" * 32] * 9, "words": pa.array([[1, 2]] * 9, pa.list_(pa.uint64()))}
    )
    parquet = packed(lambda stream: pq.write_table(table, stream, compression="zstd"))
    shares = np.full((30, 2), 0.5, np.float32)
    arrays = {"train_images": np.zeros((9, 4, 4), np.uint8), "train_labels": np.zeros((9, 1), np.uint8)}
    return [
        ("t.csv", csv), ("t.tsv", csv.replace(b",", b"\t")), ("t.csv.gz", gzip.compress(csv, mtime=0)), ("t.jsonl", jsonl),
        ("t.json", json.dumps(ROWS).encode()), ("t.parquet", parquet), ("t.parquet", parquet),
        ("medaudit.toml", TOML.encode()), ("state.json", json.dumps(STATE_OF_COPY).encode()),
        ("result.json", (GOLDEN / "result.json").read_bytes()), ("comparison.json", (GOLDEN / "comparison.json").read_bytes()),
        ("side/s.parquet", parquet), ("hashes.parquet", packed(lambda stream: pq.write_table(hashes, stream))),
        ("a.xml", XML.encode()), ("a.xml", XML.encode()), ("list.txt", b"im1 1\nim2\n"),
        ("coco.json", json.dumps(COCO).encode()),
        ("dataset.json", json.dumps(NNUNET).encode()), ("croissant.json", json.dumps(CROISSANT).encode()),
        ("sidecar.json", json.dumps(SIDECAR).encode()), ("data.yaml", YAML), ("answers.json", json.dumps(ANSWERS).encode()),
        ("corrections.csv", CORRECTIONS), ("names.csv", b"record\nim1.png\n"),
        ("p.csv", b"a,b\n" + b"0.5,0.5\n" * 30),
        ("p.parquet", packed(lambda stream: pq.write_table(pa.table({"a": [0.5] * 30}), stream))),
        ("p.npy", packed(lambda stream: np.save(stream, shares))),
        ("p.npz", packed(lambda stream: np.savez(stream, probs=shares))),
        ("labels.npz", packed(lambda stream: np.savez_compressed(stream, **arrays))), *network(folder),
    ]  # fmt: skip


def exchanged(content: bytes, rng: random.Random) -> bytes:
    """JSON with one value exchanged for another one."""
    document = json.loads(content)
    places: list[tuple[Any, Any]] = []
    pending: list[Any] = [document]
    while pending:
        value = pending.pop()
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in inner:
            places.append((value, key))
            if isinstance(one, dict | list):
                pending.append(one)
    holder, key = rng.choice(places)
    holder[key] = rng.choice(VALUES)
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


TEXTS = (
    b"", b"-1", b"1e999", b"9" * 5000, b"nan", b"<a>", b"&lt;", b"&x;", b"null", b"\n", b"[[", b"{", b'"', b"\xc3\xa9", b"../x",
)  # fmt: skip
PLAIN = (".csv", ".tsv", ".xml", ".yaml", ".toml", ".txt")


def reworded(content: bytes, rng: random.Random) -> bytes:
    """Text with one to three of its words exchanged for others."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        words = list(re.finditer(rb"\w+", content))
        if words:
            chosen = rng.choice(words)
            content = content[: chosen.start()] + rng.choice(TEXTS) + content[chosen.end() :]
    return content


def asked(function: str, *arguments: object) -> Callable[[Path], object]:
    """A reader that the workers call by name."""
    return lambda path: run_job(function, path, *arguments, limits=Limits())


READERS: Mapping[str, Callable[[Path], object]] = {
    "medaudit.toml": read_config, "state.json": lambda one: read_state(one.parent.parent), "result.json": load,
    "comparison.json": load, "s.parquet": asked("reports.side_file:columns", ["image", "list"]),
    "hashes.parquet": asked("auditor.stages.hash_file:table"), "a.xml": asked("auditor.placement.voc_file:annotation"),
    "list.txt": asked("auditor.placement.voc_file:names"), "coco.json": asked("auditor.placement.coco_file:read_document"),
    "dataset.json": asked("auditor.placement.nnunet_file:read"), "data.yaml": asked("auditor.placement.box_lines:read_names"),
    "croissant.json": lambda one: measure_checksums(one.parent, Limits()),
    "answers.json": lambda one: read_review(one, Limits()),
    "sidecar.json": asked("auditor.evidence.privacy.beside:fields_of", "sidecar.json", Privacy()),
    "corrections.csv": asked("trainers.copying.ledger_file:corrections"), "names.csv": asked("auditor.tables.names_file:names"),
    **dict.fromkeys(("p.csv", "p.parquet"), asked("auditor.prediction.opening:table")),
    **dict.fromkeys(("p.npy", "p.npz"), asked("auditor.prediction.opening:array", 30)),
    "labels.npz": lambda one: [
        asked("auditor.placement.npz_labels:labels", pair.labels)(one)
        for pair in array_pairs(one.parent, [one.name], Limits()) if pair.labels
    ],
    DESCRIPTION: lambda one: load_model(one.parent), WEIGHTS: lambda one: load_model(one.parent),
}  # fmt: skip


def read(path: Path) -> object:
    """Read one file as the command does that is given it."""
    return READERS.get(path.name, read_table)(path)


def placed(folder: Path, name: str) -> Path:
    """Where a file of that name lies, what belongs to it beside it, as it was."""
    path = folder / STATE if name == "state.json" else folder / name
    path.parent.mkdir(exist_ok=True)
    return path


def run_tables(
    count: int, seed: int, folder: Path, mutate: Callable[[bytes, bytes, random.Random], bytes]
) -> tuple[Counter[str], list[str], int]:
    """Read `count` mutants: how they ended, what was not caught or took more than 30 s, the largest process."""
    rng, known = random.Random(seed), seeds(folder / "model")
    whole = dict(known)
    ends: Counter[str] = Counter()
    failures: list[str] = []
    for number in range(count):
        name, content = rng.choice(known)
        by_value = rng.random() < 0.6
        if by_value and name.endswith(".json"):
            mutant = exchanged(content, rng)
        elif by_value and name.endswith(PLAIN):
            mutant = reworded(content, rng)
        else:
            mutant = mutate(content, rng.choice(known)[1], rng)
        path = placed(folder, name)
        path.write_bytes(mutant)
        start = time.monotonic()
        try:
            read(path)
            ends[f"{name}: read"] += 1
        except (MedauditError, UnreadableFile) as error:
            ends[f"{name}: refused"] += 1
            if "crashed" in str(error) or "failed on it" in str(error):
                ends[f"{name}: cost its reader"] += 1
                failures.append(f"{number} {name}: {error}")
        except Exception as error:  # noqa: BLE001 - what is not caught is what is looked for
            failures.append(f"{number} {name}: {type(error).__name__}: {error}")
        if time.monotonic() - start > 30:
            failures.append(f"{number} {name}: more than 30 s")
        path.unlink()
        if path.parent.name == "model":  # the other file of a network is as it was
            path.write_bytes(whole[name])
    STANDING.stop()
    return ends, failures, max(own_peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)


def own_peak() -> int:
    """The most memory that this program has held, in bytes. `ru_maxrss` is handed down by whoever started it, however large."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
