"""No file is decoded outside the bounded workers: who decodes runs in one, and who asks knows it by name alone."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import auditor

ROOT = Path(auditor.__file__).parents[1]
PACKAGES = ("auditor", "trainers", "reports", "medaudit")
READING = frozenset(
    {
        "BytesParser", "DictReader", "GzipFile", "ParquetFile", "TarFile", "ZipFile", "content_of", "dcmread", "decompress",
        "decompressobj", "file_digest", "fromfile", "fromstring", "genfromtxt", "imdecode", "imread", "iterparse", "load",
        "load_file", "load_workbook",
        "loads", "loadtxt", "memmap", "open", "open_header", "open_memmap", "open_pixels", "open_regular", "parse",
        "raw_decode", "safe_load", "read_array", "read_bytes", "read_csv", "read_document", "read_excel", "read_feather",
        "read_json_document",
        "read_orc", "read_parquet", "read_pickle", "read_source", "read_table", "read_text", "reader", "safe_open",
    }
)  # fmt: skip
"""What reading a file, or decoding what was read, is called: by us, by Python and by the libraries that we use."""
BY_NAME = frozenset(
    {
        "auditor.evidence.labels.review_file", "auditor.evidence.masks.mask_maps", "auditor.evidence.objects.drawing",
        "auditor.evidence.privacy.beside",
        "auditor.evidence.quality.checksum_file", "auditor.evidence.raters.drawn_masks",
        "auditor.measuring.picture", "auditor.placement.box_lines", "auditor.placement.coco_file",
        "auditor.placement.dicom_drawn_file", "auditor.placement.drawn",
        "auditor.placement.nnunet_file", "auditor.placement.npz_labels",
        "auditor.placement.cvat_file", "auditor.placement.hdf5_labels", "auditor.placement.labelme_file",
        "auditor.placement.via_file", "auditor.placement.voc_file", "auditor.prediction.opening", "auditor.stages.hash_file",
        "auditor.evidence.predicted.kind",
        "auditor.tables.names_file", "auditor.tables.opening", "reports.side_file", "trainers.copying.array_form",
        "trainers.copying.forms.form", "trainers.copying.ledger_file", "trainers.degrading.box_file",
        "trainers.degrading.mask_file", "trainers.degrading.picture_file", "trainers.rewriting.clean_dicom",
    }
)  # fmt: skip
"""Modules that workers load by name (`auditor.reading.jobs`)."""
BELOW = ("auditor.format", "auditor.formats", "auditor.containers")
"""What decoding is made of; it runs where it is called."""
SENT = frozenset(
    {
        "auditor.measuring.measure", "trainers.decoding.decode", "trainers.decoding.middle_frames",
        "trainers.rewriting.frame_traces", "trainers.rewriting.rewrite_pass",
    }
)  # fmt: skip
"""Who does the tasks of a pass (`Work.measurer`): its module is known to the side that sends it, and runs in the workers."""
HERE: Mapping[str, tuple[frozenset[str], str]] = {
    name: (frozenset(calls.split()), why)
    for name, calls, why in (
        ("auditor.files", "open open_regular", "the first bytes of a file, and no further"),
        ("auditor.abandoned", "open", "to hold what a killed run left; nothing is read"),
        ("auditor.own", "open_regular file_digest", "a digest in blocks; nothing is decoded"),
        ("auditor.private", "open", "the user's own key, 32 bytes"),
        ("auditor.config", "open_regular loads", "at most 256 kB, and no deep chain; the file of who runs the gate"),
        ("auditor.stored", "open_regular loads", "JSON of ours, bounded in size and depth, by schema"),
        ("auditor.stages.known", "open_regular", "the user's own key, at most 1 MiB, as bytes"),
        ("auditor.stages.extract", "open", "opens the cache"),
        ("auditor.unchanged.kept", "load open open_regular", "a result of ours that carries our own keyed digest"),
        ("auditor.measuring.setup", "open", "opens the cache, in the worker"),
        ("auditor.reading.cache", "loads", "an entry that carries our own keyed digest"),
        ("auditor.reading.nursery", "open", "the present folder as a handle"),
        ("auditor.reading.forking", "loads", "orders of our own program"),
        ("auditor.reading.wire", "loads", "what our own workers say"),
        ("auditor.layout", "load", "calls `load` of a layout"),
        ("auditor.plugins", "load", "loads an installed entry point"),
        ("auditor.layouts.dicom_tree", "read_table", "asks a worker"),
        ("auditor.layouts.table", "read_table", "asks a worker"),
        ("auditor.placement.table_choice", "read_table", "asks a worker"),
        ("auditor.placement.array_tables", "read_table", "asks a worker"),
        ("auditor.placement.box_tables", "read_table", "asks a worker"),
        ("auditor.placement.reading_tables", "read_table reader", "asks a worker; the reader of a name is a person"),
        ("auditor.placement.table_beside", "read_table", "asks a worker"),
        ("auditor.placement.table_join", "read_table", "asks a worker"),
        ("auditor.evidence.privacy.path_names", "read_text", "lists of words of ours"),
        ("auditor.values.ordinary", "read_text", "a list of words of ours"),
        ("auditor.evidence.privacy.ps315", "open DictReader", "a table of ours"),
        ("auditor.evidence.likeness.perceptual", "imdecode", "a thumbnail that a worker made"),
        ("auditor.evidence.masks.outlines", "imdecode", "an outline or a thumbnail that a worker made"),
        ("auditor.degrade.copies", "open read_bytes", "makes pictures; reads none of others"),
        ("auditor.degrade.flaws", "open_regular DictReader", "the truth beside planted flaws: bounded, by schema"),
        ("auditor.tables.tables", "open_regular", "the bytes of a table; workers decode them"),
        ("auditor.stages.open", "content_of", "the bytes of a table, as they are"),
        ("trainers.copying.source", "read_table", "asks a worker"),
        ("trainers.copying.undo", "read_table content_of", "asks a worker"),
        ("trainers.copying.place", "open", "writes"),
        ("trainers.copying.corrected_copy", "loads", "TOML that was written here a line above"),
        ("auditor.sealed", "open_regular", "bounded bytes, and the digest of them"),
        (
            "trainers.decoding.pictures",
            "open_memmap memmap open_regular",
            "arrays of one known shape in the private working folder",
        ),
        ("trainers.engine.checkpoint", "load", "weights alone, sealed with the user's key"),
        ("trainers.engine.encoder_features", "safe_open", "a bounded header"),
        (
            "trainers.engine.encoder_file",
            "load load_file safe_open",
            "weights whose header is checked; a program that the user trusts",
        ),
        ("trainers.engine.model_file", "load_file safe_open", "weights whose header is checked"),
        ("trainers.engine.feed", "reader", "a thread that moves pictures"),
        ("trainers.predicting.predict_files", "content_of", "makes the bytes of a table"),
        ("trainers.strategies.deidentify", "open_regular", "the user's own key, at most 1 MiB, as bytes"),
        ("auditor.evidence.privacy.container_privacy", "reader", "called with a file that a worker has read"),
        ("trainers.decoding.mapped", "memmap open open_memmap", "makes arrays in the private working folder"),
        ("trainers.decoding.model_input", "memmap", "asks whether an array is mapped"),
        ("trainers.engine.crew", "load memmap", "maps an array in the private working folder"),
        ("trainers.relabelling.reading", "load", "arrays in the private working folder; never pickles"),
        ("trainers.strategies.teacher", "load", "the same"),
        ("reports.formats.html", "read_text", "a style of ours"),
        ("reports.review", "read_text", "a page of ours"),
        ("medaudit.cli", "open", "/dev/null"),
        ("medaudit.process", "open", "/dev/null in the place of a closed stream"),
        ("medaudit.comparing", "load", "asks `reports.load`"),
    )
}
"""Modules that read in the calling process: what each may call, and why that is no decoding of a stranger's file."""


@cache
def modules() -> Mapping[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports() -> Mapping[str, frozenset[str]]:
    """Module → modules of ours that it imports, inside functions too."""
    return {name: frozenset(_imported(path)) - {name} for name, path in modules().items()}


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules() else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def calls(source: str) -> frozenset[str]:
    """The names of `READING` that a module calls, or hands on without calling them."""
    used = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in READING:
                used.add(name)
    return frozenset(used)


def below(module: str) -> bool:
    return module.startswith(BELOW)


@cache
def in_workers() -> frozenset[str]:
    """What runs by name or is sent there, and the parts that nobody else imports."""
    asked_by: dict[str, set[str]] = {name: set() for name in modules()}
    for name, found in imports().items():
        for one in found & set(asked_by):
            asked_by[one].add(name)
    inside = {name for name in modules() if below(name)} | BY_NAME | SENT
    while more := {name for name, asking in asked_by.items() if name not in inside and asking and asking <= inside}:
        inside |= more
    return frozenset(inside)


def test_nobody_reads_in_the_calling_process_but_who_may() -> None:
    read = {name: calls(path.read_text("utf-8")) for name, path in modules().items() if name not in in_workers()}
    odd = {name: sorted(found - HERE.get(name, (frozenset(), ""))[0]) for name, found in read.items()}
    assert {name: found for name, found in odd.items() if found} == {}


def test_what_may_read_here_does_so_still() -> None:
    gone = {
        name for name, (allowed, _) in HERE.items() if name not in modules() or allowed - calls(modules()[name].read_text())
    }
    assert gone == set()


@pytest.mark.parametrize(
    "line", ["import json; json.loads(x)", "path.read_bytes()", "zipfile.ZipFile(path)", "map(json.loads, lines)", "open(path)"]
)
def test_a_new_reader_would_be_seen(line: str) -> None:
    assert calls(line)


@pytest.mark.parametrize("module", sorted(BY_NAME))
def test_who_asks_for_a_job_does_not_import_what_does_it(module: str) -> None:
    assert {name for name, found in imports().items() if module in found and name not in in_workers()} == set()


@pytest.mark.parametrize("module", sorted(BY_NAME))
def test_what_does_a_job_is_named_where_it_is_asked_for(module: str) -> None:
    sources = [path.read_text("utf-8") for name, path in modules().items() if name != module]
    assert any(f'"{module}:' in text or f"{module}:{{" in text or f'"{module}"' in text for text in sources)


@pytest.mark.parametrize("module", sorted(SENT))
def test_who_measures_is_imported_by_the_side_that_sends_it_alone(module: str) -> None:
    """It stands beside the `Work` that makes it, and decodes in no function that this process calls."""
    asking = {name for name, found in imports().items() if module in found and name not in in_workers()}
    assert asking <= {
        "auditor.measuring.setup", "auditor.stages.extract", "trainers.decoding.pictures", "trainers.decoding.staged",
        "trainers.rewriting.encoding_traces", "trainers.rewriting.forensics", "trainers.strategies.harmonise",
        "trainers.rewriting.rewrite", "trainers.decoding.survey",
    }  # fmt: skip
