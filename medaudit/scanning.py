"""The public functions that look: open a dataset, scan it."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any, Unpack

from auditor.config import Config, read_config
from auditor.plan import Plan, plan_for
from auditor.progress import Progress, Silent
from auditor.scan import opened_dataset
from auditor.scan import scan as audit
from auditor.values.dataset import Dataset
from medaudit import __version__
from medaudit.keywords import Opening, ScanOptions, path_of, read_keywords, roles_in, target_of
from medaudit.results import ScanResult, shown_as

NETWORK: tuple[str, ...] = ("predict", "encoder", "network", "device", "trust_program")
"""Words of a scan whose predictions a network makes."""


def plan_of(target: Path, options: Mapping[str, Any]) -> Plan:
    """The plan of a scan from options that were read; words that are no part of a plan are passed over.

    Raises:
        ConfigError: medaudit.toml or an option is wrong.
    """
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
    target = target_of(dataset, "open_dataset")
    plan = plan_of(target, read_keywords(options, Opening, "open_dataset"))
    return opened_dataset(target, plan)


def scan(dataset: str | Path, *, progress: Progress | None = None, **options: Unpack[ScanOptions]) -> ScanResult:
    """Audit a dataset. Nothing is written; `medaudit.report` does that.

    Args:
        dataset: a folder, a label table or an npz; only read.
        progress: told how far it is.
        options: the words of `medaudit scan --help`: roles (`label="finding"`), `select=["LK"]`, `require`, `fail_on`,
            `predictions`, `workers`, `seed`, ...; what is not given comes from medaudit.toml beside the dataset.

    Raises:
        DatasetError: the dataset cannot be opened.
        ConfigError: medaudit.toml or an option is wrong.
    """
    target, told = target_of(dataset, "scan"), read_keywords(options, ScanOptions, "scan")
    plan, progress, predictor = plan_of(target, told), progress or Silent(), None
    asked = {word: told.get(word) for word in NETWORK}
    if any(asked.values()):
        from medaudit.predicting import predictor_of

        predictor = predictor_of(
            plan, kind=asked["predict"], encoder=asked["encoder"], network=asked["network"], device=asked["device"],
            progress=progress, given="predictions" in told, trust_program=bool(asked["trust_program"]),
        )  # fmt: skip
    return shown_as(ScanResult, audit(target, plan, progress=progress, predictor=predictor))


def load_config(path: str | Path) -> Config:
    """medaudit.toml, read and checked.

    Raises:
        ConfigError: it cannot be read, or is wrong; the message says where.
    """
    return read_config(path_of(path))
