"""Options that several commands share, written once in groups; what each means is read by `medaudit.keywords`.

A command names its groups with `sharing` and receives what was given as `**plan`, which `told` turns into the keywords of the
public function behind it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

C = TypeVar("C", bound=Callable[..., None])

ROLE = "Roles (a column of the table)"
GATE = "Gate"
READ = "Reading"
PREDICT = "Predictions"
KNOWN = "Known collections"
TRAIN = "Training"
HARM = "Harm (several are done together)"

Dataset = Annotated[Path, typer.Argument(help="A folder, a label table (csv tsv parquet jsonl xlsx, also .gz) or an npz.")]
Target = Annotated[Path, typer.Argument(help="A folder, a label table or an npz (default: this folder).")]


def option(kind: Any, text: str, panel: str | None = None, name: str = "", **more: Any) -> Any:
    """The annotation of one option: not given = None."""
    return Annotated[kind | None, typer.Option(*([name] if name else []), help=text, rich_help_panel=panel, **more)]


def role(text: str) -> Any:
    """A column of the table."""
    return option(str, text, ROLE)


DEVICE = "auto (default), cpu, cuda, cuda:N or mps."
PROGRAM = "--encoder is a .pt2 program, and may run as you."

ROLES: Mapping[str, Any] = {
    "label": role("Column of the label; or folder:2 (a level of folders), name:end (the last word of file names)."),
    "patient": role("Column of patient ids; or folder:1."),
    "split": role("Column of the split (train, test, ...); or folder:1."),
    "site": role("Column of the hospital or site; or folder:1."),
    "path": role("Column of the image files."),
    "lesion": role("Column of lesion ids."),
    "study": role("Column of study ids."),
    "series": role("Column of series ids."),
    "time": role("Column of the date or time of the acquisition."),
    "fold": role("Column of the cross-validation fold."),
    "rater": role("Column of who gave the label, in a table of readings."),
    "mask": role("Column of the mask files."),
}
OPENING: Mapping[str, Any] = {
    "root": option(Path, "Folder that image paths start from.", READ),
    "config": option(
        Path,
        "The medaudit.toml that judges, or none (default: the dataset's own, which may pin how it is read and never loosens).",
        READ,
    ),
}
MEASURING: Mapping[str, Any] = {
    "workers": option(int, "Processes that read files (default: one per core).", READ, min=0),
    "cache": option(
        bool, "Keep what was measured, and the result, for the next scan (default: yes).", READ, "--cache/--no-cache"
    ),
}
RETRACING: Mapping[str, Any] = {
    "crosswalk": option(
        Path,
        "A private file for you alone: what stands behind column 7, site 2, reader 3, withheld-1. Apart from data and outputs.",
        READ,
    ),
}
RECOGNISING: Mapping[str, Any] = {
    "ocr": option(
        bool, "Recognise letters where PH004 suspects text (the extra ocr); they are counted, never kept.", READ, "--ocr"
    ),
}
READING: Mapping[str, Any] = {**OPENING, **MEASURING, **RETRACING}
SELECTING: Mapping[str, Any] = {
    "select": option(list[str], "Only these checks (code or prefix: LK, SP001).", GATE),
    "ignore": option(list[str], "Not these checks.", GATE),
    "require": option(list[str], "Exit 3 when one of these could not be evaluated.", GATE),
    "fail_on": option(str, "error (default), warning, info or never.", GATE),
    "strict": option(bool, "Exit 3 when too little could be looked at to say that all is well.", GATE, "--strict"),
    "baseline": option(
        Path, "result.json of an earlier scan: its findings are shown and fail nothing unless they grew; new ones fail.", GATE
    ),
    "rehash": option(
        bool, "Look anew and read every file whole, also one that is as it was at the last scan.", READ, "--rehash"
    ),
    "pixels": option(bool, "Decode pictures (default: yes), or judge headers and tables alone.", READ, "--pixels/--no-pixels"),
}
PREDICTIONS: Mapping[str, Any] = {
    "predictions": option(
        list[Path],
        "Out-of-fold class probabilities: npy, npz, csv or parquet; repeated, the mean of several models. "
        "Or predicted masks: a folder of files named after the images, or an array. Or a table of predicted boxes or points.",
        PREDICT,
    ),
    "classes": option(str, "Order of the columns of --predictions, comma-separated (default: sorted).", PREDICT),
    "in_sample": option(bool, "The predictions are not out of fold.", PREDICT, "--in-sample"),
    "predict": option(str, "cnn: train a network per fold, to judge beside the built-in probe.", PREDICT),
    "encoder": option(Path, "Weights of an encoder, .safetensors or .pt2: the probe reads what it sees.", PREDICT),
    "network": option(str, "The network that --encoder belongs to.", PREDICT),
    "trust_program": option(bool, PROGRAM, PREDICT, "--trust-program"),
    "device": option(str, DEVICE, PREDICT),
}
REVIEWED: Mapping[str, Any] = {
    "reviewed": option(list[Path], "Answers that the page of `medaudit review` saved; may be repeated.", PREDICT),
}
COLLECTIONS: Mapping[str, Any] = {
    "known": option(list[Path], "hashes.parquet of another collection (`medaudit fingerprint`); may be repeated.", KNOWN),
    "key": option(Path, "The key file that --known was made with.", KNOWN),
}
TRUSTING: Mapping[str, Any] = {
    "trusted": option(str, "Records whose labels are right: a column of yes/no, or a file of record ids or paths."),
    "evaluate": option(str, "Records that judge the outcome and that nothing touches: a column or a file, as above."),
    "unlabelled": option(Path, "A folder of pictures without labels, for teacher."),
}
TRAINING: Mapping[str, Any] = {
    "seeds": option(int, "Networks per strategy (3).", TRAIN, min=1),
    "device": option(str, DEVICE, TRAIN),
    "budget": option(str, "Time for all training together, such as 30m.", TRAIN),
    "margin": option(float, "A smaller loss counts as none (0.01).", TRAIN, min=0, max=1),
    "from_run": option(Path, "transfer: the copy of another dataset's fix; its network is the start.", TRAIN),
    "encoder": option(Path, "transfer: weights of an encoder, .safetensors or .pt2.", TRAIN),
    "network": option(
        str,
        "The network that is trained, and that --encoder belongs to: small, resnet18, densenet121, unet, ... (default: "
        "chosen); module:factory or a .pt2 program of your own.",
        TRAIN,
    ),
    "side": option(int, "Longer side of the pictures as networks see them, in pixels (default: chosen).", TRAIN),
    "trust_program": option(bool, PROGRAM, TRAIN, "--trust-program"),
    "teacher_data": option(
        Path, "teacher, transfer: hashes.parquet of what the start network has seen, to be looked for in the evaluation.", TRAIN
    ),
    "key": option(Path, "Key file of --teacher-data, and salt of deidentify.", TRAIN),
}
DEALING: Mapping[str, Any] = {
    "by": option(str, "What stays whole: patient (default), study, series or image."),
    "stratify": option(list[str], "Columns that every split holds its share of: label,site or columns of the table."),
    "sizes": option(str, "Share of each split, 0.7,0.15,0.15 (default: as they are).", metavar="SHARES"),
    "names": option(list[str], "Names of the splits (default: as they are, or train,val,test)."),
    "keep": option(list[str], "A split that stays as it is, record by record; may be repeated."),
}
HARMING: Mapping[str, Any] = {
    "missing": option(float, "Share of the objects (in masks, boxes, points) that are left out, such as .5.", HARM),
    "deform": option(float, "Objects grown or shrunk, boxes too, points moved: standard deviation in pixels.", HARM),
    "simplify": option(int, "Outlines with every so many-th corner alone, such as 40.", HARM),
    "boxes": option(bool, "Masks become the boxes around their objects.", HARM, "--boxes"),
    "label_flips": option(
        str, "Share of wrong labels: .2 by lot; .2:asym to the next class; .2:instance near a border; .2:site by site.", HARM
    ),
    "bit_depth": option(str, "CLASS=8 or CLASS=16: the pictures of a class are stored with so many bits.", HARM),
    "mix_patients": option(float, "Share of the patients of whom one picture moves to another split.", HARM),
    "near_copies": option(float, "Share of the pictures that get a near-copy, in another split where there are several.", HARM),
    "rater_noise": option(str, "Share of the readings that say another class: .3 of every reader, READER=.3 of one.", HARM),
    "fatigue": option(float, "Chance that a reading is wrong at the end of a reader's session; nought at its beginning.", HARM),
}
UNPACKING: Mapping[str, Any] = {
    "most": option(
        str, "How much may be written, such as 20GB (default: a hundred times what the archives have, 2 GB in any case)."
    ),
    "most_files": option(int, "How many files and folders may come out (150000)."),
    "seconds": option(str, "Computing that one archive may cost, such as 10m (25 s, and 1 s for each 4 MB of it)."),
    "workers": option(int, "Processes that read (0: this one)."),
}
DECIDING: Mapping[str, Any] = {
    "method": option(str, "auto (default), majority, dawid-skene, glad, mace or crowdlab (needs --predictions)."),
    "rater": option(str, "Who gave the label.", ROLE),
    "label": option(str, "What the rater said.", ROLE),
    "path": option(str, "What was read.", ROLE),
    "predictions": option(Path, "Out-of-fold class probabilities of the records.", PREDICT),
    "classes": option(str, "Order of the columns of --predictions.", PREDICT),
    "min_gain": option(
        float, "One more reading is worth it when it should raise the confidence by so much (0.02).", min=0, max=1
    ),
    "seed": option(int, "Seed of random starts (0)."),
}


def sharing(*groups: Mapping[str, Any]) -> Callable[[C], C]:
    """Give a command the options of these groups; it receives them in its `**plan`."""

    def extended(command: C) -> C:
        own = inspect.signature(command, eval_str=True)
        first = [p for p in own.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for group in groups
            for name, kind in group.items()
        ]
        command.__signature__ = own.replace(parameters=[*first, *more])  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in (*first, *more)}
        return command

    return extended


def told(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as keywords: `--select LK,SP001 --select IN` is a list of three."""
    return {
        word: [part for line in value for part in words_of(line)] if texts(value) else value
        for word, value in plan.items()
        if value is not None and value != []
    }


def texts(value: object) -> bool:
    """A list of texts."""
    return isinstance(value, list) and all(isinstance(line, str) for line in value)


def words_of(line: str) -> list[str]:
    """`LK,SP001` → LK, SP001."""
    return [word.strip() for word in line.split(",") if word.strip()]
