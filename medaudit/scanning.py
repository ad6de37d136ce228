"""The public functions that look: open a dataset, scan it.

What a scan is made of is imported when one is made: the result of a dataset that did not change is shown without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from auditor.progress import Progress, Silent
from medaudit import __version__
from medaudit.earlier import earlier
from medaudit.keywords import Opening, ScanOptions, read_keywords, roles_in, target_of
from medaudit.results import ScanResult, shown_as
from medaudit.words import path_of

if TYPE_CHECKING:
    from auditor.config import Config
    from auditor.plan import Plan
    from auditor.values.dataset import Dataset

NETWORK: tuple[str, ...] = ("predict", "encoder", "network", "device", "trust_program")
"""Words of a scan whose predictions a network makes."""


def plan_of(target: Path, options: Mapping[str, Any]) -> Plan:
    """The plan of a scan from options that were read; words that are no part of a plan are passed over.

    Raises:
        ConfigError: medaudit.toml or an option is wrong.
    """
    from auditor.plan import plan_for

    words = {word: value for word, value in options.items() if word in signature(plan_for).parameters}
    return plan_for(target, roles=roles_in(options), tool_version=__version__, **words)


def open_dataset(dataset: str | Path, **options: Unpack[Opening]) -> Dataset:
    """The records of a dataset with their roles, as a scan would read them; no image is opened.

    Args:
        dataset: a folder, a label table or an npz.
        options: which column holds what (`label="finding"`, `patient="pid"`, ...), `root`, `config`.

    Raises:
        DatasetError: the dataset cannot be opened.
        ConfigError: medaudit.toml or an option is wrong.
    """
    from auditor.scan import opened_dataset

    target = target_of(dataset, "open_dataset")
    plan = plan_of(target, read_keywords(options, Opening, "open_dataset"))
    return opened_dataset(plan)


def scan(dataset: str | Path, *, progress: Progress | None = None, **options: Unpack[ScanOptions]) -> ScanResult:
    """Audit a dataset. Nothing is written; `medaudit.report` does that.

    Args:
        dataset: a folder, a label table or an npz; only read.
        progress: told how far it is.
        options: the words of `medaudit scan --help`: roles (`label="finding"`), `select=["LK"]`, `require`, `fail_on`,
            `predictions`, `workers`, `seed`, ...; what is not given comes from medaudit.toml beside the dataset.

    Where nothing that the result depends on has changed since an earlier scan it is that scan's, and its `run` says since
    when (`rehash=True` and `cache=False` look anew).

    Raises:
        DatasetError: the dataset cannot be opened.
        ConfigError: medaudit.toml or an option is wrong.
    """
    target, told = target_of(dataset, "scan"), read_keywords(options, ScanOptions, "scan")
    asked = {word: told.get(word) for word in NETWORK}
    before = None if any(asked.values()) else earlier(target, told, lambda: plan_of(target, told))
    known = None if before is None else before.result()
    if known is not None:
        return shown_as(ScanResult, known)
    from auditor.scan import examine

    plan, progress, predictor = plan_of(target, told), progress or Silent(), None
    if any(asked.values()):
        from medaudit.predicting import predictor_of

        predictor = predictor_of(
            plan, kind=asked["predict"], encoder=asked["encoder"], network=asked["network"], device=asked["device"],
            progress=progress, given="predictions" in told, trust_program=bool(asked["trust_program"]),
        )  # fmt: skip
    examined = examine(plan, progress=progress, predictor=predictor)
    if before is not None:
        before.keep(examined)
    return shown_as(ScanResult, examined.result)


def load_config(path: str | Path) -> Config:
    """medaudit.toml, read and checked.

    Raises:
        ConfigError: it cannot be read, or is wrong; the message says where.
    """
    from auditor.config import read_config

    return read_config(path_of(path))
