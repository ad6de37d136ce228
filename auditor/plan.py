"""What a scan is told: options and medaudit.toml together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from auditor.config import Config
from auditor.evidence.predicted.kinds import kinds_of
from auditor.evidence.privacy.crosswalk import check_crosswalk
from auditor.features.recognition import require_recogniser
from auditor.judging import read_baseline, settings_for
from auditor.layout import Options
from auditor.private import default_folder
from auditor.progress import Progress, Silent
from auditor.values.baseline import Baseline
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.predictions import PredictionKind

Predictor = Callable[[Dataset], Dataset]
"""Given by the front door when a network is to predict: `auditor` knows no trainer."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything a scan is told, from options and medaudit.toml together; options go first.

    Args:
        config: medaudit.toml, or its defaults.
        file: where it was read; None = nowhere.
        set_aside: what a medaudit.toml that was found in the dataset says and that does not count (`auditor.judging`).
        options: pinned roles and layout.
        predictions: files of out-of-fold probabilities, one per model; none = the built-in probe. Also a folder or an array of
            predicted masks, or a table of predicted boxes or points.
        classes: order of its columns; None = sorted labels.
        in_sample: the predictions were made by a model that trained on these records.
        reviewed: files of answers that the review page saved.
        known: files of keyed hashes of other collections; they need `key`, the file of the secret they were made with.
        workers: processes that read files; None = one per core.
        cache: private folder; None = no cache.
        rehash: read every file whole, also one that is as it was at the last scan.
        ocr: letters are recognised where PH004 suspects text (the extra `ocr`).
        crosswalk: private file that says what stands behind what outputs show by its place; None = none is written.
        baseline: result.json of an earlier scan; `accepted`: its findings, which fail nothing.
        today: the day on which waivers must hold.
        telling: `Privacy.telling` of the dataset.
        headers_only: decode nothing; checks that need pixels are not evaluated.
        target: the dataset.
        kinds: what each file of `predictions` holds.
        asked: what whoever gathers will look at (see `auditor.stage`).
        needed: that, and what the stages that run need of each other.
        progress: told how far it is.
        predictor: gives the linked dataset its out-of-fold predictions in the place of `predictions` and of the built-in probe.
        tally: counts what a stage did (images decoded, found in the cache); new for every gathering, no part of any result.
    """

    config: Config = field(default_factory=Config)
    file: Path | None = None
    set_aside: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)
    predictions: tuple[Path, ...] = ()
    classes: tuple[str, ...] | None = None
    in_sample: bool = False
    reviewed: tuple[Path, ...] = ()
    known: tuple[Path, ...] = ()
    key: Path | None = None
    workers: int | None = None
    cache: Path | None = None
    rehash: bool = False
    ocr: bool = False
    crosswalk: Path | None = None
    baseline: Path | None = None
    accepted: Baseline | None = None
    today: date = field(default_factory=date.today)
    telling: tuple[tuple[str, frozenset[str]], ...] = ()
    headers_only: bool = False
    tool_version: str = ""
    target: Path = Path()
    kinds: tuple[PredictionKind, ...] = ()
    asked: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()
    progress: Progress = field(default_factory=Silent, compare=False)
    predictor: Predictor | None = None
    tally: Counter[str] = field(default_factory=Counter, compare=False)

    def predicted(self, kind: PredictionKind) -> tuple[Path, ...]:
        """The files of predictions of one kind."""
        return tuple(path for path, own in zip(self.predictions, self.kinds, strict=True) if own == kind)

    @property
    def readers(self) -> int:
        """Worker processes that read files; 0 reads in this process, without isolation."""
        return readers_of(self.workers)


def readers_of(workers: int | None) -> int:
    """How many processes read files where so many were asked for."""
    return workers if workers is not None else max(1, os.cpu_count() or 1)


def plan_for(
    target: Path,
    *,
    config: Path | None = None,
    roles: Mapping[str, str] | None = None,
    root: Path | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    require: Sequence[str] = (),
    fail_on: str | None = None,
    strict: bool | None = None,
    predictions: Sequence[Path] = (),
    classes: Sequence[str] | None = None,
    in_sample: bool = False,
    reviewed: Sequence[Path] = (),
    known: Sequence[Path] = (),
    key: Path | None = None,
    workers: int | None = None,
    cache: bool = True,
    rehash: bool = False,
    ocr: bool = False,
    pixels: bool = True,
    crosswalk: Path | None = None,
    baseline: Path | None = None,
    seed: int | None = None,
    tool_version: str = "",
) -> Plan:
    """Read `config`, or what a medaudit.toml beside the dataset may say, and lay the given options over it.

    Args:
        config: the file that judges; `none` = no file, whatever lies there. None = the dataset's own, which never loosens.

    Raises:
        ConfigError: the file or an option is wrong.
        DatasetError: a file of predictions cannot be read.
        MissingExtraError: `ocr` without a recogniser.
    """
    if ocr:
        if not pixels:
            raise ConfigError("--ocr looks at pictures, and --no-pixels decodes none: leave one of them out")
        require_recogniser()
    judged = settings_for(target, config, default_folder(os.environ, Path.home()))
    path, settings = judged.file, judged.config
    changes: dict[str, object] = {}
    if select:
        changes["select"] = tuple(select)
    if ignore:
        changes["ignore"] = (*settings.scan.ignore, *ignore)
    if require:
        changes["require"] = (*settings.scan.require, *require)
    if fail_on is not None:
        if fail_on not in ("info", "warning", "error", "never"):
            raise ConfigError(f"--fail-on {fail_on}: info, warning, error or never")
        changes["fail_on"] = fail_on
    if strict is not None:
        changes["strict"] = strict
    if seed is not None:
        changes["seed"] = seed
    settings = settings.model_copy(update={"scan": settings.scan.model_copy(update=changes)})
    pinned = settings.options(path.parent if path is not None else Path())
    options = replace(pinned, roles={**pinned.roles, **(roles or {})}, root=root or pinned.root)
    given = tuple(predictions)
    if not given and settings.scan.predictions is not None and path is not None:
        given = (path.parent / settings.scan.predictions,)
    if known and key is None:
        raise ConfigError("--known needs --key: the key file that the hashes were made with")
    if baseline is None and settings.scan.baseline is not None and path is not None:
        baseline = path.parent / settings.scan.baseline
    folder = default_folder(os.environ, Path.home()) if cache else None
    if (classes or in_sample) and not given:
        raise ConfigError("--classes and --in-sample speak of predictions: name their file with --predictions")
    if crosswalk is not None:
        check_crosswalk(crosswalk, [target if target.is_dir() else target.parent])
    readers = workers if workers is not None else settings.scan.workers
    return Plan(
        target=target,
        config=settings,
        file=path,
        set_aside=judged.set_aside,
        options=options,
        predictions=given,
        classes=tuple(classes) if classes else None,
        in_sample=in_sample,
        reviewed=tuple(reviewed),
        known=tuple(known),
        key=key,
        workers=readers,
        kinds=kinds_of(given, settings.limits_of(), workers=readers_of(readers)),
        cache=folder,
        rehash=rehash,
        ocr=ocr,
        crosswalk=crosswalk,
        baseline=baseline,
        accepted=None if baseline is None else read_baseline(baseline, settings.limits_of()),
        headers_only=not pixels,
        tool_version=tool_version,
    )
