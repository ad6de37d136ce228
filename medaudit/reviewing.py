"""From a result to the review page and its table."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from auditor.evidence.labels.review import read_review
from auditor.layout import Options, open_dataset
from auditor.reading.jobs import Job, run_jobs
from auditor.stages.reviews import queue_of
from auditor.values.errors import ConfigError, DatasetError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.results import ScanResult
from auditor.values.reviews import FORMAT, VERSION
from reports.review import Item, Sheet, queue_table, review_page


def review_files(
    result: ScanResult,
    outputs: Sequence[Path],
    *,
    reviewed: Sequence[Path] = (),
    suspects: int | None = None,
    controls: int | None = None,
    seed: int | None = None,
    images: Path | None = None,
) -> dict[Path, bytes]:
    """What to write: `.html` is the page, `.csv` the queue as a table.

    Args:
        reviewed: earlier answers; their records are not asked about again.
        suspects, controls, seed: sizes and seed of the draw; None = as the scan chose its pictures.
        images: the dataset; its pictures are read again, large, where the thumbnails of a result are too small to judge by.

    Raises:
        ConfigError: an output of another kind.
        DatasetError: the result holds no ranking of labels, or nothing is left to review.
    """
    for output in outputs:
        if output.suffix.lower() not in (".html", ".htm", ".csv"):
            raise ConfigError(f"{output}: the review is written as .html (the page) or .csv (the queue)")
    done = [answer.record for file in reviewed for answer in read_review(file).answers]
    used = seed if seed is not None else int(result.configuration.get("seed") or 0)
    queue = queue_of(result.outcomes, seed=used, reviewed=done, suspects=suspects, controls=controls)
    if queue is None:
        raise DatasetError("the result holds no ranking of labels (LN002): scan with labels and images, or with --predictions")
    if not queue.records:
        raise DatasetError("every record was reviewed")
    table = next(
        t for o in result.outcomes if o.code == "LN002" and o.verdict for t in o.verdict.tables if t.name == "label_scores"
    )
    columns = {c.name: c.values for c in table.columns}
    place = {str(record): i for i, record in enumerate(columns["record"])}
    rows = [place[record] for record in queue.records]
    pictures = dict(result.thumbnails)
    if images is not None:
        pictures |= large_pictures(images, queue.records, Limits(), workers=1)
    items = tuple(
        Item(
            record=record,
            given=str(columns["given"][row] or ""),
            suggested=str(columns["suggested"][row] or ""),
            flagged=bool(columns["flagged"][row]),
            picture=pictures.get(record),
        )
        for record, row in zip(queue.records, rows, strict=True)
    )
    envelope: dict[str, str | int] = {
        "format": FORMAT, "version": VERSION, "flagged": queue.flagged, "others": queue.others, "identity": queue.identity,
    }  # fmt: skip
    classes = result.dataset.classes if result.dataset.task in ("single", "ordinal") else ()
    sheet = Sheet(title=result.dataset.name, classes=classes, items=items, envelope=envelope)
    return {o: queue_table(queue.records) if o.suffix.lower() == ".csv" else review_page(sheet) for o in outputs}


def large_pictures(target: Path, records: Sequence[str], limits: Limits, *, workers: int) -> dict[str, bytes]:
    """Record → its picture as a person judges it; without those that the dataset does not hold, or that cannot be read.

    Raises:
        DatasetError: the dataset cannot be opened.
    """
    dataset = open_dataset(target, Options())
    paths = dataset.records["path"].dropna()
    single = dataset.records["item"].fillna("") == ""  # one of an array of many is left to its thumbnail
    known = [record for record in records if record in paths.index and single[record]]
    function = "auditor.measuring.picture:picture"
    jobs = [Job(function=function, arguments=(dataset.root / str(paths[record]), dataset.root)) for record in known]
    found: dict[str, bytes] = {}
    for answer in run_jobs(jobs, limits, workers=workers):
        with suppress(UnreadableFile):
            found[known[answer.number]] = answer.value
    return found
