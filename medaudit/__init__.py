"""medaudit: audits medical-imaging datasets before they are released or trained on, and repairs what it finds.

    import medaudit

    result = medaudit.scan("dataset/", label="finding", patient="pid")
    result.findings_frame()
    medaudit.report(result, "report.html")

Everything public is importable from here, and nothing heavy is imported before it is used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, whose import is the slowest part of this module's
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

__all__ = [
    "Arm",
    "Case",
    "Chart",
    "Check",
    "Column",
    "Comparison",
    "Config",
    "ConfigError",
    "Correction",
    "Coverage",
    "Dataset",
    "DatasetError",
    "DatasetSummary",
    "Degraded",
    "Evaluation",
    "Finding",
    "FixResult",
    "Gate",
    "Guess",
    "Location",
    "MaskRelease",
    "Measured",
    "MedauditError",
    "MissingExtraError",
    "NewSplit",
    "NotApplicable",
    "Outcome",
    "Progress",
    "Proof",
    "Proposal",
    "Release",
    "Run",
    "ScanResult",
    "Score",
    "Scores",
    "Severity",
    "SkipCheck",
    "Strategy",
    "Table",
    "Tally",
    "Trust",
    "UnpackedSet",
    "UnreadableFile",
    "Verdict",
    "__version__",
    "compare",
    "consensus",
    "degrade",
    "fix",
    "load_config",
    "load_result",
    "open_dataset",
    "report",
    "scan",
    "score",
    "split",
    "unpack",
]

if TYPE_CHECKING:
    from auditor.check import Check, SkipCheck
    from auditor.config import Config
    from auditor.evidence.raters.mask_folders import MaskRelease
    from auditor.evidence.raters.release import Release
    from auditor.progress import Progress
    from auditor.scoring.score import Score, Scores
    from auditor.splits.proof import Proof
    from auditor.splits.split import NewSplit
    from auditor.values.corrections import Arm, Correction, Evaluation, Measured, Proposal, Tally
    from auditor.values.dataset import Dataset
    from auditor.values.errors import ConfigError, DatasetError, MedauditError, MissingExtraError, UnreadableFile
    from auditor.values.results import (
        Chart,
        Column,
        Coverage,
        DatasetSummary,
        Finding,
        Gate,
        Guess,
        Location,
        Outcome,
        Run,
        Severity,
        Table,
        Verdict,
    )
    from medaudit.comparing import compare, load_result, report
    from medaudit.degrading import degrade, score
    from medaudit.fixing import fix
    from medaudit.releasing import consensus, split
    from medaudit.results import Comparison, FixResult, ScanResult
    from medaudit.scanning import load_config, open_dataset, scan
    from medaudit.unpacking import unpack
    from trainers.copying.unpacking import UnpackedSet
    from trainers.degrading.job import Degraded
    from trainers.strategy import Case, NotApplicable, Strategy
    from trainers.values.trust import Trust

_HOMES = {
    "auditor.check": "Check SkipCheck",
    "auditor.config": "Config",
    "auditor.evidence.raters.mask_folders": "MaskRelease",
    "auditor.evidence.raters.release": "Release",
    "auditor.progress": "Progress",
    "auditor.scoring.score": "Score Scores",
    "auditor.splits.proof": "Proof",
    "auditor.splits.split": "NewSplit",
    "auditor.values.dataset": "Dataset",
    "auditor.values.errors": "ConfigError DatasetError MedauditError MissingExtraError UnreadableFile",
    "auditor.values.corrections": "Arm Correction Evaluation Measured Proposal Tally",
    "auditor.values.results": (
        "Chart Column Coverage DatasetSummary Finding Gate Guess Location Outcome Run Severity Table Verdict"
    ),
    "medaudit.comparing": "compare load_result report",
    "medaudit.degrading": "degrade score",
    "medaudit.fixing": "fix",
    "medaudit.releasing": "consensus split",
    "medaudit.results": "Comparison FixResult ScanResult",
    "medaudit.scanning": "load_config open_dataset scan",
    "medaudit.unpacking": "unpack",
    "trainers.copying.unpacking": "UnpackedSet",
    "trainers.degrading.job": "Degraded",
    "trainers.strategy": "Case NotApplicable Strategy",
    "trainers.values.trust": "Trust",
}
"""Where each public name lives, as `TYPE_CHECKING` says it too (a test compares the two)."""


def __getattr__(name: str) -> Any:
    """Import what is public when it is first used, so that `medaudit --help` and `import medaudit` stay quick."""
    home = next((module for module, names in _HOMES.items() if name in names.split()), None)
    if home is None:
        raise AttributeError(f"module 'medaudit' has no attribute {name!r}")
    from importlib import import_module

    from medaudit._rooms import require_own_rooms

    require_own_rooms()
    found = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
