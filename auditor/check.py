"""What a check is, and how checks are found."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from auditor.plugins import plugin_classes
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.results import Severity, Verdict

Need = str
"""What a stage of `auditor.stages` provides. `auditor.stages.extract` tells pixels apart: `fingerprints` (decoded, digests,
thumbnails, facts of masks), `features.NAME` (one module of `auditor.features`), `features` (all), `sketches`, `fronts`;
`pixels` is all of these. What no selected check needs is not measured, and then is missing from the dataset."""


class SkipCheck(Exception):
    """Raised by `run` where the check does not apply or cannot tell; the reason is shown in every report, never as passed.

    `verdict` keeps what was measured all the same (an estimate that is too weak to judge by).
    """

    def __init__(self, reason: str, *, verdict: Verdict | None = None) -> None:
        super().__init__(reason)
        self.verdict = verdict


@dataclass(frozen=True, kw_only=True)
class Check(ABC):
    """One rule. Identity = class attributes; thresholds = fields with defaults; documentation = the docstring.

    The docstring's first line is the title; sections `## What it does`, `## Why is this bad?`, `## How to fix`,
    `## Options`, `## References` are printed by `medaudit explain`, the docs, SARIF and the report.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    """The most severe level that its findings have by default."""
    needs: ClassVar[frozenset[Need]] = frozenset()
    """What stages must have provided (`auditor.stage`); a scan runs no others. Records and metadata always are there."""
    preview: ClassVar[bool] = False

    @abstractmethod
    def run(self, dataset: Dataset) -> Verdict:
        """Judge. Pure: same dataset, same verdict; opens no file. Raises SkipCheck where it does not apply."""


def title(check: type[Check]) -> str:
    """First line of the docstring, without the full stop."""
    return (inspect.getdoc(check) or check.name).splitlines()[0].rstrip(".")


@cache
def check_classes() -> tuple[type[Check], ...]:
    """All checks, ours and those of installed plug-ins (entry points `medaudit.checks`), by code."""
    found: dict[str, type[Check]] = {}
    for kind in plugin_classes("auditor.checks", "medaudit.checks", Check):  # type: ignore[type-abstract]
        other = found.setdefault(kind.code, kind)
        if other is not kind:
            raise ConfigError(f"two checks have the code {kind.code}: {other.__module__}, {kind.__module__}")
    return tuple(found[code] for code in sorted(found))


def select(codes: Iterable[str], *, ignore: Iterable[str] = ()) -> tuple[type[Check], ...]:
    """Checks whose code starts with one of `codes` (empty = all) and with none of `ignore`.

    Raises:
        ConfigError: a prefix that matches no check.
    """
    wanted, unwanted = tuple(codes), tuple(ignore)
    known = check_classes()
    for prefix in (*wanted, *unwanted):
        if not any(c.code.startswith(prefix.upper()) for c in known):
            raise ConfigError(f"no check has the code or prefix {prefix!r}: `medaudit rules` lists them")
    return tuple(
        c
        for c in known
        if (not wanted or any(c.code.startswith(p.upper()) for p in wanted))
        and not any(c.code.startswith(p.upper()) for p in unwanted)
    )
