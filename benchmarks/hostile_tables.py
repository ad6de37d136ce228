"""Mutated tables, settings, states and results: `python benchmarks/hostile.py --tables 5000`. Same seed, same mutants.

Seeds are small tables of every form (csv, tsv, jsonl, json, Parquet with text, numbers, dates, lists), a medaudit.toml,
the memory of a corrected copy and results. Bytes are mutated as those of pictures are; values of JSON are exchanged for others
as well. Every mutant must end in a value or in one line of ours.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from auditor.config import read_config
from auditor.reading.standing import STANDING
from auditor.tables.tables import read_table
from auditor.values.errors import MedauditError
from reports.load import load
from trainers.copying.corrected_copy import STATE, read_state

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


def seeds() -> list[tuple[str, bytes]]:
    """(name, content) of one file of every form."""
    lines = [",".join(ROWS[0]), *(",".join(map(str, row.values())) for row in ROWS)]
    csv, jsonl = "\n".join(lines).encode(), "\n".join(map(json.dumps, ROWS)).encode()
    stream = io.BytesIO()
    table = pa.Table.from_pylist(ROWS).append_column("list", pa.array([[1, 2]] * len(ROWS)))
    pq.write_table(table.append_column("day", pa.array([10**6] * len(ROWS), pa.timestamp("us"))), stream, compression="zstd")
    return [
        ("t.csv", csv), ("t.tsv", csv.replace(b",", b"\t")), ("t.csv.gz", gzip.compress(csv, mtime=0)), ("t.jsonl", jsonl),
        ("t.json", json.dumps(ROWS).encode()), ("t.parquet", stream.getvalue()), ("t.parquet", stream.getvalue()),
        ("medaudit.toml", TOML.encode()), ("state.json", json.dumps(STATE_OF_COPY).encode()),
        ("result.json", (GOLDEN / "result.json").read_bytes()), ("comparison.json", (GOLDEN / "comparison.json").read_bytes()),
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


def read(path: Path) -> object:
    """Read one file as the command does that is given it."""
    readers: Mapping[str, Callable[[Path], object]] = {
        "medaudit.toml": read_config, "state.json": lambda one: read_state(one.parent.parent), "result.json": load,
        "comparison.json": load,
    }  # fmt: skip
    return readers.get(path.name, read_table)(path)


def run_tables(
    count: int, seed: int, folder: Path, mutate: Callable[[bytes, bytes, random.Random], bytes]
) -> tuple[Counter[str], list[str], int]:
    """Read `count` mutants: how they ended, what was not caught or took more than 30 s, the largest process."""
    rng, known = random.Random(seed), seeds()
    ends: Counter[str] = Counter()
    failures: list[str] = []
    for number in range(count):
        name, content = rng.choice(known)
        by_value = name.endswith(".json") and rng.random() < 0.6
        mutant = exchanged(content, rng) if by_value else mutate(content, rng.choice(known)[1], rng)
        path = folder / STATE if name == "state.json" else folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(mutant)
        start = time.monotonic()
        try:
            read(path)
            ends[f"{name}: read"] += 1
        except MedauditError as error:
            ends[f"{name}: refused"] += 1
            if "crashed" in str(error) or "failed on it" in str(error):
                ends[f"{name}: cost its reader"] += 1
                failures.append(f"{number} {name}: {error}")
        except Exception as error:  # noqa: BLE001 - what is not caught is what is looked for
            failures.append(f"{number} {name}: {type(error).__name__}: {error}")
        if time.monotonic() - start > 30:
            failures.append(f"{number} {name}: more than 30 s")
        path.unlink()
    STANDING.stop()
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) * 1024
    return ends, failures, peak
