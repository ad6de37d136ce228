"""From files of answers to what the checks may use: only answers about records and labels that are still the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from auditor.evidence.labels.review import draw_queue, read_review
from auditor.evidence.privacy.withhold import Withholding, withheld_names, withhold
from auditor.plan import Plan
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.image import Limits
from auditor.values.results import Outcome
from auditor.values.reviews import Queue

NEEDS = frozenset({"fingerprints"})
PROVIDES = frozenset({"reviews"})


def given(plan: Plan) -> bool:
    """Files of answers were given."""
    return bool(plan.reviewed)


def run(dataset: Dataset, plan: Plan) -> Dataset:
    """Fill `reviews`.

    Raises:
        ConfigError: a file is no file of answers, or belongs to another dataset.
    """
    return read_reviews(dataset, plan.reviewed, withheld_names(dataset), limits=plan.config.limits_of(), workers=plan.readers)


def read_reviews(
    dataset: Dataset, files: Sequence[Path], names: Mapping[str, str], *, limits: Limits | None = None, workers: int = 1
) -> Dataset:
    """The dataset with the reviews of these files.

    A review of which a label was changed since says nothing about the labels as they are now: it is left out, with a note.

    Args:
        names: what reports replace (`auditor.evidence.privacy.withhold`); answers hold the replaced ids.

    Raises:
        ConfigError: a file is no file of answers, or names a record that the dataset does not have.
    """
    shown = withhold(dataset.records.index.tolist(), names)
    place = {str(record): i for i, record in enumerate(shown)}
    labels = dataset.labels.values.astype(object)
    given = withhold(["" if pd.isna(v) else str(v) for v in labels], names)
    index = dataset.records.index.tolist()
    reviews, notes = [], []
    for file in files:
        review = read_review(file, limits, workers=workers)
        unknown = sum(a.record not in place for a in review.answers)
        if unknown:
            raise ConfigError(f"{file}: {unknown:,} reviewed records are not in this dataset; it belongs to another one")
        changed = sum(given[place[a.record]] != a.given for a in review.answers)
        if changed:
            notes.append(f"a review was left out: {changed:,} of its labels were changed since; review a fresh sample")
            continue
        reviews.append(replace(review, answers=tuple(replace(a, record=str(index[place[a.record]])) for a in review.answers)))
    summary = replace(dataset.summary, notes=(*dataset.summary.notes, *notes))
    return replace(dataset, reviews=(*dataset.reviews, *reviews), summary=summary)


def review_thumbnails(outcomes: Sequence[Outcome], dataset: Dataset, hidden: Withholding, *, seed: int) -> dict[str, bytes]:
    """Pictures of the records that `medaudit review` will ask about, by the id that the result shows.

    Args:
        outcomes: as the result shows them.
    """
    done = hidden.of([a.record for review in dataset.reviews for a in review.answers])
    queue = queue_of(outcomes, seed=seed, reviewed=done)
    if queue is None:
        return {}
    index = [str(record) for record in dataset.records.index]
    place = dict(zip(hidden.of(index), index, strict=True))
    return {r: dataset.thumbnails[place[r]] for r in queue.records if place[r] in dataset.thumbnails}


def queue_of(
    outcomes: Sequence[Outcome],
    *,
    seed: int,
    reviewed: Sequence[str] = (),
    suspects: int | None = None,
    controls: int | None = None,
) -> Queue | None:
    """The queue that LN002's ranking gives; None where there is no ranking."""
    table = next(
        (t for o in outcomes if o.code == "LN002" and o.verdict for t in o.verdict.tables if t.name == "label_scores"), None
    )
    if table is None:
        return None
    columns = {c.name: c.values for c in table.columns}
    judged = [i for i, score in enumerate(columns["score"]) if score is not None]
    sizes = {name: size for name, size in (("suspects", suspects), ("controls", controls)) if size is not None}
    return draw_queue(
        [str(columns["record"][i]) for i in judged], [bool(columns["flagged"][i]) for i in judged],
        seed=seed, reviewed=reviewed, **sizes,
    )  # fmt: skip
