"""The public functions that make something for a release: a new split, one label out of many readings."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from auditor.evidence.privacy.crosswalk import write_crosswalk
from auditor.evidence.raters.mask_folders import MaskRelease, rater_folders, release_masks
from auditor.evidence.raters.release import Release, release
from auditor.layout import Options
from auditor.layout import open_dataset as opened
from auditor.progress import Progress
from auditor.scan import linked_dataset
from auditor.splits import split as splits
from auditor.splits.split import NewSplit
from auditor.splits.wish import Wish
from auditor.values.errors import ConfigError
from medaudit.keywords import ConsensusOptions, SplitOptions, read_keywords, roles_in, target_of
from medaudit.scanning import plan_of


def split(dataset: str | Path, *, progress: Progress | None = None, **options: Unpack[SplitOptions]) -> NewSplit:
    """Split a dataset by whole groups of linked records, stratified, with the proof that nothing crosses; writes nothing.

    Args:
        dataset: a folder, a label table or an npz; only read.
        progress: told how far it is.
        options: the words of `medaudit split --help`: `by`, `stratify`, `sizes`, `names`, `keep`, `seed`, and the roles.

    Returns:
        `table` holds the new split record by record, `proof` what the checks say of it, `proven` whether nothing crosses.

    Raises:
        DatasetError: the dataset cannot be opened.
        ConfigError: an option is wrong.
    """
    target, told = target_of(dataset, "split"), read_keywords(options, SplitOptions, "split")
    wish = Wish(**{word: told[word] for word in ("by", "stratify", "sizes", "names", "keep", "seed") if word in told})
    # the seed is that of the draw; the plan of the scan has its own
    plan = plan_of(target, {word: value for word, value in told.items() if word != "seed"})
    return splits.split(linked_dataset(plan, progress=progress), wish)


def consensus(readings: str | Path, **options: Unpack[ConsensusOptions]) -> Release | MaskRelease:
    """One label per record out of several readings, and how sure; writes nothing.

    Args:
        readings: a table of readings, or a folder with one folder of masks per rater.
        options: the words of `medaudit consensus --help`: `rater`, `label`, `path`, `method`, `predictions`, `classes`,
            `min_gain`, `seed`.

    Returns:
        `frame` has one row per record; of masks, `raters` has one per rater, and `files` holds the consensus masks.

    Raises:
        DatasetError: it cannot be opened, or nothing was read by several raters.
        ConfigError: an option is wrong.
    """
    target, told = target_of(readings, "consensus"), read_keywords(options, ConsensusOptions, "consensus")
    private = told.get("crosswalk")
    if target.is_dir() and "rater" not in told and rater_folders(target):
        if private is not None:
            raise ConfigError("--crosswalk: folders of masks are named as they are, so there is nothing to lead back to")
        return release_masks(target)
    words = {word: told[word] for word in ("method", "predictions", "classes", "min_gain", "seed") if word in told}
    dataset = opened(target, Options(roles=roles_in(told)))
    found = release(dataset, **words)
    if private is not None:
        write_crosswalk(private, {dataset.summary.name: dataset})
    return found
