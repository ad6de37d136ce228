"""What a scan will ask: the checks that its plan selects, what they need, and which of them cannot look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.check import Check, select
from auditor.plan import Plan
from auditor.stage import closure
from auditor.stages.extract import PIXELS
from auditor.values.results import Severity


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The checks of a scan.

    Args:
        looking: those that will run, with their thresholds.
        left: those that would look at pixels where nobody decodes any.
        required: codes that must come to a verdict.
        needs: what the dataset must hold for those that run (`auditor.stage`).
        severities: levels that medaudit.toml gives to the findings of a check.
    """

    looking: tuple[Check, ...]
    left: tuple[Check, ...]
    required: frozenset[str]
    needs: frozenset[str]
    severities: Mapping[str, Severity]

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of them, by code."""
        return tuple(sorted((*self.looking, *self.left), key=lambda check: type(check).code))


def asked_by(plan: Plan) -> Asked:
    """The checks that a plan selects.

    Raises:
        ConfigError: a code that no check has.
    """
    config = plan.config
    checks = [config.configured(kind) for kind in select(config.scan.select, ignore=config.scan.ignore)]
    left = tuple(check for check in checks if plan.headers_only and needs_pixels(type(check)))
    looking = tuple(check for check in checks if check not in left)
    return Asked(
        looking=looking,
        left=left,
        required=frozenset(kind.code for kind in select(config.scan.require)) if config.scan.require else frozenset(),
        needs=frozenset({"metadata"}).union(*(type(check).needs for check in looking)),
        severities=config.severity,
    )


def needs_pixels(check: type[Check]) -> bool:
    """The check looks at pixels, or at what a stage makes of them."""
    return not PIXELS.isdisjoint(closure(check.needs))
