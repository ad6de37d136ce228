"""Options that several commands share, written once; and how their text is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

ROLE = "Roles (a column of the table)"
GATE = "Gate"
READING = "Reading"
PREDICTING = "Predictions"
KNOWN = "Known collections"
TRAINING = "Training"

Dataset = Annotated[Path, typer.Argument(help="A folder, a label table (csv tsv parquet jsonl, also .gz) or an npz.")]
Target = Annotated[Path, typer.Argument(help="A folder, a label table or an npz (default: this folder).")]

Label = Annotated[str | None, typer.Option(help="Label.", rich_help_panel=ROLE)]
Patient = Annotated[str | None, typer.Option(help="Patient id.", rich_help_panel=ROLE)]
Split = Annotated[str | None, typer.Option(help="Split (train, test, ...).", rich_help_panel=ROLE)]
Site = Annotated[str | None, typer.Option(help="Hospital or site.", rich_help_panel=ROLE)]
ImagePath = Annotated[str | None, typer.Option(help="File name of the image.", rich_help_panel=ROLE)]
Lesion = Annotated[str | None, typer.Option(help="Lesion id.", rich_help_panel=ROLE)]
Study = Annotated[str | None, typer.Option(help="Study id.", rich_help_panel=ROLE)]
Series = Annotated[str | None, typer.Option(help="Series id.", rich_help_panel=ROLE)]
Time = Annotated[str | None, typer.Option(help="Date or time of the acquisition.", rich_help_panel=ROLE)]
Fold = Annotated[str | None, typer.Option(help="Cross-validation fold.", rich_help_panel=ROLE)]
Rater = Annotated[str | None, typer.Option(help="Who gave the label, in a table of readings.", rich_help_panel=ROLE)]
Mask = Annotated[str | None, typer.Option(help="File name of the mask.", rich_help_panel=ROLE)]

Root = Annotated[Path | None, typer.Option("--root", help="Folder that image paths start from.", rich_help_panel=READING)]
ConfigFile = Annotated[
    Path | None, typer.Option(help="medaudit.toml (default: the one in the dataset's folder).", rich_help_panel=READING)
]
Workers = Annotated[
    int | None, typer.Option(min=0, help="Processes that read files (default: one per core).", rich_help_panel=READING)
]
UseCache = Annotated[
    bool, typer.Option("--cache/--no-cache", help="Keep what was measured for the next scan.", rich_help_panel=READING)
]

Predictions = Annotated[
    list[Path] | None,
    typer.Option(
        help="Out-of-fold class probabilities: npy, npz, csv or parquet; repeated, the mean of several models. "
        "Or predicted masks: a folder of files named after the images, or an array. Or a table of predicted boxes or points.",
        rich_help_panel=PREDICTING,
    ),
]
Classes = Annotated[
    str | None,
    typer.Option(help="Order of the columns of --predictions, comma-separated (default: sorted).", rich_help_panel=PREDICTING),
]
Reviewed = Annotated[
    list[Path] | None,
    typer.Option(help="Answers that the page of `medaudit review` saved; may be repeated.", rich_help_panel=PREDICTING),
]


def roles_of(**columns: str | None) -> Mapping[str, str]:
    """The roles whose columns were named."""
    return {role: column for role, column in columns.items() if column is not None}


def words_of(values: list[str] | str | None) -> list[str]:
    """`--select LK,SP001 --select IN` → LK, SP001, IN."""
    lines = [values] if isinstance(values, str) else values or []
    return [word.strip() for line in lines for word in line.split(",") if word.strip()]


def shares_of(text: str | None) -> tuple[float, ...]:
    """`0.7,0.15,0.15` → numbers."""
    try:
        return tuple(float(part) for part in (text or "").split(",") if part.strip())
    except ValueError:
        raise typer.BadParameter("shares are numbers, for example 0.7,0.15,0.15", param_hint="--sizes") from None


def seconds_of(text: str | None) -> float | None:
    """`90`, `90s`, `30m`, `2h` → seconds; None stays None."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip().lower())
    if found is None or float(found[1]) <= 0:
        raise typer.BadParameter("a time, for example 90s, 30m or 2h", param_hint="--budget")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]
