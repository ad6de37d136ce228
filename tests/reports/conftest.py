"""Two made-up scan results: `small_result` for the golden files, `hostile_result` with everything a report must survive."""

from __future__ import annotations

import io
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from auditor.values.results import (
    SCHEMA_VERSION,
    Chart,
    Column,
    Coverage,
    DatasetSummary,
    Finding,
    Gate,
    Guess,
    Location,
    Outcome,
    Run,
    ScanResult,
    Severity,
    Table,
    Verdict,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCRIPT = "<script>alert(1)</script>.png"
FORMULA = "=cmd|' /C calc'!A0"
NEWLINE = "two\nlines.png"
RIGHT_TO_LEFT = "exam\u202egpj.exe"
ESCAPE = "\x1b[31mred\x1b[0m\x9b2J.png"
MARKUP = "[bold red]markup[/] {{ 7*7 }}.png"
QUOTES = "\"><img src=x onerror=alert(1)>' .png"
LONG = "é" * 120 + "-long.png"
FOREIGN = "caf\udce9.png"
HOSTILE = (SCRIPT, FORMULA, NEWLINE, RIGHT_TO_LEFT, ESCAPE, MARKUP, QUOTES, LONG, FOREIGN)

LEAK_DOCUMENTATION = """The label can be told from one metadata field.

## What it does

Measures, for each field, how well the field *alone* tells the classes apart: the out-of-fold AUC of the worst class,
folded by patient, with a **two-level permutation** test. Fields are compared with `max_auc`.

## Why is this bad?

A model will learn the shortcut instead of the disease:

- it scores well here and fails in the next hospital;
- no metric computed on this dataset can show it.

## How to fix

1. Convert every image to one bit depth, container and codec (`medaudit fix --strategy harmonise`).
2. Or declare the field as *not an input* in `medaudit.toml`:

```
[design]
not_inputs = ["BitsStored"]
```

## Options

| option | default | meaning |
|---|---|---|
| `max_auc` | 0.75 | lower end of the interval that fails |

## References

Zech et al. 2018, [PLoS Medicine](https://doi.org/10.1371/journal.pmed.1002683).
Not a link: [x](javascript:alert(1)) <b>raw</b>.
"""


def thumbnail(seed: int) -> bytes:
    """A 64 × 64 picture that looks a little like an X-ray, as WebP."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    image = 30 + 25 * rng.random()
    for side in (-0.42, 0.42):
        image = image + 150 * np.exp(-(((x - side) / 0.28) ** 2 + ((y + 0.05) / (0.5 + 0.2 * rng.random())) ** 2))
    image = image + 12 * rng.standard_normal((64, 64))
    picture = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
    ImageDraw.Draw(picture).text((3, 2), "LR"[seed % 2], fill=220)
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=60)
    return stream.getvalue()


def table(name: str, title: str, **columns: tuple[str, list]) -> Table:
    return Table(
        name=name,
        title=title,
        columns=tuple(
            Column(name=key, kind=kind, values=tuple(values), title=key.replace("_", " ").capitalize())
            for key, (kind, values) in columns.items()
        ),
    )


def leakage() -> Outcome:
    fields = table(
        "fields",
        "Metadata fields against the label",
        field=("text", ["BitsStored", "Manufacturer", "KVP", "Rows", "PatientSex"]),
        kind=("text", ["encoding", "acquisition", "acquisition", "encoding", "clinical"]),
        auc=("fraction", [0.981, 0.712, 0.604, 0.541, 0.522]),
        low=("fraction", [0.964, 0.671, 0.552, 0.489, 0.481]),
        high=("fraction", [0.992, 0.751, 0.656, 0.593, 0.563]),
        p=("number", [0.0002, 0.0031, 0.041, 0.31, math.nan]),
        verdict=("text", ["encodes the label", "associated", "not significant", "not significant", "not significant"]),
        read_by_a_model=("boolean", [True, True, False, True, None]),
    )
    bits = table(
        "bits",
        "Bits stored by class",
        bits=("text", ["8", "12", "16", "8", "12", "16"]),
        label=("class", ["normal", "normal", "normal", "pneumonia", "pneumonia", "pneumonia"]),
        images=("integer", [3842, 120, 12, 61, 88, 1733]),
    )
    return Outcome(
        code="LK001",
        name="metadata-leakage",
        title="The label can be told from one metadata field",
        status="failed",
        seconds=1.25,
        verdict=Verdict(
            summary="BitsStored alone tells pneumonia from normal: AUC 0.98 (95 % interval 0.96–0.99); 1 of 5 fields leaks.",
            metrics={"fields_tested_count": 5, "worst_auc": 0.981, "smallest_detectable_auc": 0.57, "nothing": math.inf},
            findings=(
                Finding(
                    code="LK001",
                    severity=Severity.ERROR,
                    message="Field BitsStored encodes the label: AUC 0.98, seen in the pixels too. Convert all of them.",
                    where=Location(field="BitsStored"),
                    score=0.981,
                    evidence={"auc": 0.981, "auc_low": 0.964, "records_with_field": 5856},
                ),
                Finding(
                    code="LK001",
                    severity=Severity.WARNING,
                    message="Field Manufacturer is associated with the label: AUC 0.71. Are the classes of one site?",
                    where=Location(field="Manufacturer"),
                    score=0.712,
                ),
            ),
            tables=(fields, bits),
            charts=(
                Chart(
                    name="fields",
                    title="How well each field alone tells the classes apart",
                    kind="intervals",
                    table=fields,
                    label="field",
                    value="auc",
                    low="low",
                    high="high",
                    reference={"gate 0.75": 0.75, "chance": 0.5},
                ),
                Chart(
                    name="bits",
                    title="Images by bits stored and class",
                    kind="bars",
                    table=bits,
                    label="bits",
                    value="images",
                    group="label",
                ),
            ),
            coverage=Coverage(evaluated=5850, total=5856, reason="6 files could not be read"),
        ),
    )


def patients() -> Outcome:
    return Outcome(
        code="SP001",
        name="patient-across-splits",
        title="One patient is in more than one split",
        status="passed",
        verdict=Verdict(
            summary="No patient of 2,790 is in two splits; one shared patient would have been seen.",
            metrics={"shared_patients_count": 0},
            coverage=Coverage(evaluated=5856, total=5856),
        ),
    )


SKIPPED = Outcome(
    code="ED001",
    name="expert-disagreement",
    title="Experts disagree",
    status="skipped",
    reason="no table with more than one rater: give --raters FILE to have their agreement measured",
)
SUMMARY = DatasetSummary(
    name="chest-xray-pneumonia",
    layout="table",
    task="classification",
    classes=("normal", "pneumonia"),
    counts={"files": 5871, "images": 5856, "unreadable": 6, "not_images": 9, "patients": 2790, "splits": 3},
    guesses=(
        Guess(role="label", value="finding", confidence=0.98, why="the header is a known one; 2 values"),
        Guess(role="patient", value="patient_id", confidence=0.91, why="values repeat; header holds 'patient'"),
        Guess(role="split", value="split", confidence=1.0, why="--split", pinned=True),
        Guess(role="site", value="device", confidence=0.55, why="12 values; might be the scanner, not the hospital"),
    ),
    notes=("9 files are not images and were left out: .txt (8), .DS_Store (1).",),
    samples={"normal": ("a.png", "b.png"), "pneumonia": (SCRIPT,)},
)


@pytest.fixture(scope="session")
def small_result() -> ScanResult:
    """Three outcomes, one picture of fixed bytes, short tables: small enough to read its golden files."""
    return ScanResult(
        schema_version=SCHEMA_VERSION,
        tool_version="0.1.0",
        dataset=SUMMARY,
        records=5856,
        outcomes=(leakage(), patients(), SKIPPED),
        gate=Gate(verdict="failed", exit_code=1, fail_on="error", reasons=("1 finding at or above error: LK001",)),
        configuration={"fail_on": "error", "seed": 0},
        documentation={"LK001": LEAK_DOCUMENTATION},
        thumbnails={"007": bytes.fromhex("52494646")},
        run=Run(started="2026-11-22T10:00:00Z", seconds=12.5, host="example", stages={"extract": 9.0}, cache={"hits": 0}),
    )


def duplicates(names: list[str]) -> Outcome:
    pairs = table(
        "pairs",
        "Pairs of identical pictures",
        record_a=("record", names[:8]),
        record_b=("record", names[8:16]),
        path_a=("path", [f"train/{name}" for name in names[:8]]),
        path_b=("path", [f"test/{name}" for name in names[8:16]]),
        evidence=("text", ["same bytes", "same pixels"] * 4),
        score=("fraction", [1.0, 0.9996] * 4),
    )
    return Outcome(
        code="SP002",
        name="exact-duplicates",
        title="The same picture is there more than once",
        status="failed",
        verdict=Verdict(
            summary="8 pictures of the training split are in the test split too.",
            metrics={"duplicate_pairs_count": 8, "across_splits_count": 8},
            findings=tuple(
                Finding(
                    code="SP002",
                    severity=Severity.ERROR if k < 6 else Severity.WARNING,
                    message=f"The same picture is in train and in test: train/{a} and test/{b}. Keep one of them.",
                    where=Location(path=f"train/{a}", record=a),
                    subject=b,
                    score=1.0,
                    evidence={"record_b": b, "size_bytes": 20481},
                    waived="reviewed by the reading room, 2026-11-02" if k == 7 else None,
                )
                for k, (a, b) in enumerate(zip(names[:8], names[8:16], strict=True))
            ),
            tables=(pairs,),
            coverage=Coverage(evaluated=5850, total=5856, reason="6 files could not be read"),
        ),
    )


def label_noise(names: list[str]) -> Outcome:
    rng = np.random.default_rng(3)
    count = 5000
    records = names + [f"{k:05d}" for k in range(count - len(names))]
    score = np.sort(rng.beta(5, 1.2, count))
    score[-1] = np.nan
    classes = np.array(["NA", "normal", "pneumonia", "effusion", "nodule"], dtype=object)
    given, suggested = rng.integers(0, 5, count), rng.integers(0, 5, count)
    scores = Table(
        name="label_scores",
        title="How much each label agrees with the pictures",
        columns=(
            Column(name="record", kind="record", values=records, title="Record"),
            Column(name="given", kind="class", values=classes[given], title="Given label"),
            Column(name="suggested", kind="class", values=list(classes[suggested]), title="Suggested label"),
            Column(name="score", kind="fraction", values=score, title="Self-confidence"),
            Column(name="flagged", kind="boolean", values=score < 0.4, title="Flagged"),
        ),
    )
    joint = rng.dirichlet(np.ones(5) * 0.4, 5).T + 6 * np.eye(5)
    joint = joint / joint.sum()
    matrix = table(
        "joint",
        "Confident joint",
        given=("class", [classes[i] for i in range(5) for _ in range(5)]),
        suggested=("class", [classes[j] for _ in range(5) for j in range(5)]),
        fraction=("fraction", [float(joint[i, j]) for i in range(5) for j in range(5)]),
    )
    edges = np.linspace(0, 1, 21)
    histogram = table(
        "histogram",
        "Self-confidence",
        bin=("text", [f"{edge:.2f}" for edge in edges[:-1]]),
        records=("integer", [int(n) for n in np.histogram(score[:-1], edges)[0]]),
    )
    sizes = [50, 100, 200, 400, 800, 1600, 3200]
    curve = table(
        "curve",
        "Learning curve",
        training_records=("number", [float(n) for n in sizes] * 2),
        accuracy=("fraction", [0.9 - 1.1 * n**-0.45 for n in sizes] + [0.86 - 1.4 * n**-0.4 for n in sizes]),
        low=("fraction", [0.88 - 1.4 * n**-0.45 for n in sizes] + [0.83 - 1.7 * n**-0.4 for n in sizes]),
        high=("fraction", [0.92 - 0.8 * n**-0.45 for n in sizes] + [0.89 - 1.1 * n**-0.4 for n in sizes]),
        labels=("text", ["corrected"] * 7 + ["as given"] * 7),
    )
    return Outcome(
        code="LN002",
        name="label-noise-records",
        title="Labels that the pictures contradict",
        status="failed",
        seconds=20.0,
        verdict=Verdict(
            summary="About 3.1 % of the labels look wrong (95 % interval 2.2–4.0 %); 155 records are listed for review.",
            metrics={"label_noise_fraction": 0.031, "flagged_count": 155},
            findings=tuple(
                Finding(
                    code="LN002",
                    severity=Severity.WARNING,
                    message=f"The picture looks like {classes[suggested[k]]}, not {classes[given[k]]}. Have it read again.",
                    where=Location(path=f"images/{records[k]}", record=records[k], line=k + 2),
                    score=float(score[k]),
                    evidence={"given": str(classes[given[k]]), "suggested": str(classes[suggested[k]])},
                )
                for k in range(155)
            ),
            tables=(scores, matrix),
            charts=(
                Chart(
                    name="joint",
                    title="Given against suggested label",
                    kind="matrix",
                    table=matrix,
                    label="given",
                    value="fraction",
                    group="suggested",
                ),
                Chart(
                    name="scores",
                    title="Self-confidence of the labels",
                    kind="histogram",
                    table=histogram,
                    label="bin",
                    value="records",
                ),
                Chart(
                    name="curve",
                    title="What more records would bring",
                    kind="lines",
                    table=curve,
                    label="training_records",
                    value="accuracy",
                    low="low",
                    high="high",
                    group="labels",
                    reference={"as published": 0.82},
                ),
            ),
            coverage=Coverage(evaluated=5000, total=5000),
        ),
    )


def unreadable() -> Outcome:
    return Outcome(
        code="IN001",
        name="unreadable-file",
        title="A file cannot be read, or would harm the reader",
        status="failed",
        verdict=Verdict(
            summary="9 of 5,871 files could not be read.",
            metrics={"unreadable_count": 9},
            findings=tuple(
                Finding(
                    code="IN001",
                    severity=Severity.ERROR,
                    message=f"{name}: the file ends before the picture does (truncated). Get it again from its source.",
                    where=Location(path=name),
                    subject=name,
                )
                for name in HOSTILE
            ),
            tables=(
                table(
                    "files",
                    "Files that cannot be read",
                    path=("path", list(HOSTILE)),
                    reason=("text", ["truncated", FORMULA, SCRIPT, None, "too-large", MARKUP, QUOTES, "malformed", "empty"]),
                ),
            ),
        ),
    )


@pytest.fixture(scope="session")
def hostile_result() -> ScanResult:
    """Ten outcomes of every status, every kind of chart, 5,000 rows, pictures, and names made to break reports."""
    names = [*HOSTILE, *(f"img_{k:04d}.png" for k in range(31))]
    outcomes = (
        unreadable(),
        Outcome(
            code="IN002",
            name="missing-or-unlisted",
            title="A listed file is missing, or a file is not listed",
            status="passed",
            verdict=Verdict(summary="All 5,856 listed files are there, and no other picture lies beside them."),
        ),
        leakage(),
        Outcome(
            code="LK002",
            name="combined-metadata-leakage",
            title="The label can be told from several metadata fields together",
            status="crashed",
            reason="ValueError in the model of 14 fields: Input contains infinity",
        ),
        patients(),
        duplicates(names),
        Outcome(
            code="SP006",
            name="ids-cannot-tell",
            title="Patient ids cannot tell patients apart",
            status="skipped",
            reason=f"no column of patients was found; columns: {', '.join(HOSTILE[:2])}",
        ),
        label_noise(names),
        SKIPPED,
        Outcome(
            code="PH001",
            name="header-identifiers",
            title="Headers hold identifiers",
            status="passed",
            verdict=Verdict(
                summary="No finding in 21 header fields of 5,850 files; pixels of 5,850 files not read.",
                coverage=Coverage(evaluated=5850, total=5856, reason=SCRIPT),
            ),
        ),
    )
    return ScanResult(
        schema_version=SCHEMA_VERSION,
        tool_version="0.1.0",
        dataset=SUMMARY,
        records=5856,
        outcomes=outcomes,
        gate=Gate(
            verdict="incomplete",
            exit_code=3,
            fail_on="error",
            reasons=("LK002 crashed, so the audit is incomplete", "16 findings at or above error: IN001, LK001, SP002"),
        ),
        configuration={"fail_on": "error", "seed": 0, "root": QUOTES},
        documentation={"LK001": LEAK_DOCUMENTATION, "SP002": f"Duplicates.\n\n## Why is this bad?\n\n{SCRIPT} {QUOTES}"},
        thumbnails={name: thumbnail(seed) for seed, name in enumerate(names)},
        run=Run(started="2026-11-22T10:00:00Z", seconds=42.0, host="example", stages={"extract": 30.0}, cache={"hits": 7}),
    )


@pytest.fixture(scope="session")
def hostile_names() -> tuple[str, ...]:
    return HOSTILE


@pytest.fixture(scope="session")
def golden() -> Path:
    return Path(__file__).with_name("golden")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the `browser` extra")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def axe():
    package = pytest.importorskip("axe_core_python", reason="needs the `browser` extra")
    return (Path(package.__file__).parent / "axe.min.js").read_text("utf-8")
