"""What `medaudit COMMAND --help` ends with: two commands that can be copied, and where more stands."""

from __future__ import annotations

from collections.abc import Mapping

PAGES = "docs/command-line.md"
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "scan": ("scan dataset/", "scan labels.csv --root images/ --label finding --patient pid"),
    "rules": ("rules",),
    "explain": ("explain LK001", "explain resplit"),
    "diff": ("diff v1/ v2/",),
    "compare": ("compare before.json after.json",),
    "report": ("report medaudit-out/result.json -o report.html -o findings.csv",),
    "review": ("review medaudit-out/result.json -o review.html",),
    "init": ("init dataset/",),
    "demo": ("demo",),
    "fix": ("fix dataset/ --check", "fix dataset/ --strategy resplit"),
    "undo": ("undo medaudit-out/fixed",),
    "strategies": ("strategies",),
    "predict": ("predict medaudit-out/fixed new-dataset/ -o predictions.csv",),
    "consensus": ("consensus readings.csv -o consensus.csv",),
    "split": ("split dataset/ --by patient --stratify label --sizes 0.7,0.15,0.15",),
    "fingerprint": ("fingerprint dataset/ --key secret.key -o hashes.parquet",),
    "unpack": ("unpack shards/ -o dataset/",),
    "degrade": ("degrade dataset/ --output worse/ --label-flips 0.2",),
    "score": ("score medaudit-out/result.json truth.csv",),
}
"""Command → its examples, without the name of the program."""


def closing(command: str) -> str:
    """The end of a command's help. `\\b` keeps the lines as they stand."""
    lines = [f"  medaudit {example}" for example in EXAMPLES[command]]
    return "\n".join(["\b", "Example:" if len(lines) == 1 else "Examples:", *lines, "", f"More: {PAGES}"])
