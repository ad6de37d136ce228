"""From a result to the review page and its table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from auditor.evidence.labels.review import read_review
from auditor.stages.reviews import queue_of
from auditor.values.errors import ConfigError, DatasetError
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
) -> dict[Path, bytes]:
    """What to write: `.html` is the page, `.csv` the queue as a table.

    Args:
        reviewed: earlier answers; their records are not asked about again.
        suspects, controls, seed: sizes and seed of the draw; None = as the scan chose its pictures.

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
    items = tuple(
        Item(
            record=record,
            given=str(columns["given"][row] or ""),
            suggested=str(columns["suggested"][row] or ""),
            flagged=bool(columns["flagged"][row]),
            picture=result.thumbnails.get(record),
        )
        for record, row in zip(queue.records, rows, strict=True)
    )
    envelope: dict[str, str | int] = {
        "format": FORMAT, "version": VERSION, "flagged": queue.flagged, "others": queue.others, "identity": queue.identity,
    }  # fmt: skip
    classes = result.dataset.classes if result.dataset.task in ("single", "ordinal") else ()
    sheet = Sheet(title=result.dataset.name, classes=classes, items=items, envelope=envelope)
    return {o: queue_table(queue.records) if o.suffix.lower() == ".csv" else review_page(sheet) for o in outputs}
