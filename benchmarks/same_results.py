"""Are the results still the same? Every data set of a folder through the public command line; two such runs compared.

python benchmarks/same_results.py DATA OUT [--only PATTERN ...]       writes OUT/TARGET/... and OUT/cost.json
python benchmarks/same_results.py --compare BEFORE AFTER [--only ...]  `equal`, or what differs; exit 1 where anything does

DATA is a folder of real data as `TARGETS` names it. The commands run as `python -m medaudit` by the interpreter that runs
this script (`--python` names another one) and with the caller's PYTHONPATH, so any version of the tree can be asked; without
PYTHONPATH it is the tree that this script stands in. Each target has an own working folder, an own empty cache, and one
thread per process.

What is kept of a command: its exit code, what it printed, and the files it wrote that a target names. Of JSON documents the
keys `run` and `tool_version` are left out, everything else is as it was. `cost.json` says which tree was asked, and the
processor seconds (of all its processes) and the wall clock of every command; it is not compared.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
VOLATILE = ("run", "tool_version")
SHOWN = 20
LIMIT = 1800
SCAN = "-o result.json -q"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One data set and what is asked of it.

    Args:
        needs: what must be there, relative to DATA; empty = nothing.
        commands: arguments of medaudit, one command after the other in one working folder; `{data}` is DATA.
        keeps: glob patterns of the written files that are kept, relative to the working folder.
        makes: makes files in the working folder out of DATA before the first command.
    """

    needs: str = ""
    commands: tuple[str, ...]
    keeps: tuple[str, ...] = ("result.json", "result.*.parquet")
    makes: Callable[[Path, Path], None] | None = None


def scanned(needs: str, more: str = "") -> Target:
    """A plain scan."""
    return Target(needs=needs, commands=(f"scan {{data}}/{needs} {more} {SCAN}",))


def of_readings(needs: str) -> Target:
    """A table of readings: scanned, and brought to a consensus."""
    return Target(
        needs=needs,
        commands=(f"scan {{data}}/{needs} {SCAN}", f"consensus {{data}}/{needs} -o consensus.csv"),
        keeps=("result.json", "result.*.parquet", "consensus.csv"),
    )


def labels_of(source: str) -> Callable[[Path, Path], None]:
    """Labels that come as npy, as a table."""

    def make(data: Path, folder: Path) -> None:
        labels = np.load(data / f"tables/cleanlab_label_errors/{source}_test_set_original_labels.npy")
        rows = (f"{source}_{i:05d}.png,{label}\n" for i, label in enumerate(labels.tolist()))
        (folder / "labels.csv").write_text("image,label\n" + "".join(rows))

    return make


def with_predictions(source: str) -> Target:
    """Labels without pictures, judged by given probabilities."""
    given = f"tables/cleanlab_label_errors/{source}_test_set_pyx.npy"
    return Target(
        needs=given,
        commands=(f"scan labels.csv --label label --path image --predictions {{data}}/{given} {SCAN}",),
        makes=labels_of(source),
    )


def small_radiographs(data: Path, folder: Path) -> None:
    """160 radiographs of 28 × 28 with every eighth label turned, 80 of them trusted: soon trained on."""
    archive = np.load(data / "images/pneumoniamnist/data/pneumoniamnist.npz")
    pictures, truth = archive["train_images"], archive["train_labels"].ravel()
    chosen = np.sort(np.concatenate([np.flatnonzero(truth == code)[:80] for code in (0, 1)]))
    (folder / "images").mkdir()
    lines = ["image,label,patient,checked"]
    for i, row in enumerate(chosen.tolist()):
        Image.fromarray(pictures[row]).save(folder / f"images/{i:03d}.png")
        turned = i % 8 == 3
        lines.append(
            f"{i:03d}.png,{('normal', 'pneumonia')[int(truth[row]) ^ turned]},p{i:03d},{('no', 'yes')[i % 8 in (0, 2, 4, 6)]}"
        )
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def small_masks(data: Path, folder: Path) -> None:
    """The middle 64 × 64 of every slice and of its mask; the masks of every second slice are trusted."""
    for kind in ("image", "label"):
        (folder / "slices" / kind).mkdir(parents=True)
        for path in sorted((data / "images/em_membrane" / kind).glob("*.png")):
            picture = np.asarray(Image.open(path))
            top, left = (n // 2 - 32 for n in picture.shape[:2])
            Image.fromarray(picture[top : top + 64, left : left + 64]).save(folder / "slices" / kind / path.name)
    names = sorted(path.name for path in (folder / "slices/image").iterdir())
    (folder / "trusted.txt").write_text("".join(f"image/{name}\n" for name in names[::2]))


COPY = ("comparison.json", "comparison.*.parquet", "result-after.json", "corrections.csv", "removed.csv", "weights.csv")

TARGETS: Mapping[str, Target] = {
    "bccd": scanned("images/bccd"),
    "bccd-voc": scanned("images/bccd/BCCD"),
    "bccd-table": scanned("images/bccd/test.csv", "--root {data}/images/bccd/BCCD/JPEGImages"),
    "cleanvision": scanned("images/cleanvision_tests"),
    "em-membrane": scanned("images/em_membrane"),
    "pneumoniamnist": scanned("images/pneumoniamnist/data/pneumoniamnist.npz"),
    "skimage": scanned("images/skimage"),
    "nih": scanned("tables/nih_chestxray14/Data_Entry_2017_v2020.csv.gz"),
    "nih-boxes": scanned("tables/nih_chestxray14/BBox_List_2017.csv.gz"),
    "nih-folder": scanned("tables/nih_chestxray14"),
    "cifar10": with_predictions("cifar10"),
    "mnist": with_predictions("mnist"),
    "cifar10-votes": scanned("tables/cleanlab_label_errors/cifar10_mturk_flat.csv", "--label given_original_label_name"),
    "mnist-votes": scanned("tables/cleanlab_label_errors/mnist_mturk_flat.csv"),
    "cleanlab-folder": scanned("tables/cleanlab_label_errors"),
    "crowd-duck": of_readings("tables/crowd_duck/answer.csv"),
    "crowd-dog": of_readings("tables/crowd_dog/answer.csv"),
    "crowd-dog-named": scanned("tables/crowd_dog/answer.csv", "--label answer --rater worker --path question"),
    "crowd-duck-folder": scanned("tables/crowd_duck"),
    "dicom": scanned("dicom"),
    "dicom-test-files": scanned("dicom/pydicom_test_files"),
    "dicom-data": scanned("dicom/pydicom_data"),
    "dicom-inventory": scanned("dicom/inventory.csv", "--label mod --path file --root {data}/dicom/pydicom_test_files"),
    "nifti-and-other": scanned("nifti_and_other"),
    "demo": Target(
        commands=(
            "demo demo --seed 0",
            "fix demo/dataset --check -q",
            "split demo/dataset --stratify label,site -o split.csv",
        ),
        keeps=(
            "demo/result.json",
            "demo/result.*.parquet",
            "demo/truth.csv",
            "demo/dataset/labels.csv",
            *(f"demo/fixed/{name}" for name in COPY),
            "demo/fixed/labels.csv",
            "split.csv",
            "split-proof.json",
        ),
    ),
    "trained-labels": Target(
        needs="images/pneumoniamnist/data/pneumoniamnist.npz",
        commands=("fix labels.csv --root images --strategy robust --trusted checked --seeds 1 --device cpu -o fixed -q",),
        keeps=tuple(f"fixed/{name}" for name in COPY),
        makes=small_radiographs,
    ),
    "trained-masks": Target(
        needs="images/em_membrane",
        commands=("fix slices --strategy weak-threshold --trusted trusted.txt --seeds 1 --device cpu -o fixed -q",),
        keeps=tuple(f"fixed/{name}" for name in COPY),
        makes=small_masks,
    ),
}


# ---- asking ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command did: exit code (None = stopped after `LIMIT` seconds), what it printed, and its cost."""

    exit_code: int | None
    printed: str
    cost: Mapping[str, float]


def asked(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Answer:
    """Run one command in a session of its own, and count what it and its processes cost."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, error = child.communicate(timeout=LIMIT)
        code: int | None = child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, error = child.communicate()
        code = None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = {
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "wall_seconds": round(time.monotonic() - start, 2),
    }
    return Answer(exit_code=code, printed=out + (error if code not in (0, 1) else ""), cost=cost)


def environment_of(cache: Path) -> dict[str, str]:
    """The caller's, with what a result must not depend on made the same."""
    paths = [str(Path(p).resolve()) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p] or [str(ROOT)]
    same = {"COLUMNS": "100", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**os.environ, **same, "PYTHONPATH": os.pathsep.join(paths), "MEDAUDIT_CACHE": str(cache)}


def steady(path: Path) -> bytes:
    """The content of a written file without what differs from run to run."""
    if path.suffix != ".json":
        return path.read_bytes()
    document = json.loads(path.read_bytes())
    for key in VOLATILE:
        document.pop(key, None)
    return (json.dumps(document, indent=1) + "\n").encode()


def run_target(target: Target, data: Path, out: Path, python: str) -> list[dict[str, Any]]:
    """Ask all commands of a target and keep what they say in `out`; the cost of each."""
    costs: list[dict[str, Any]] = []
    out.mkdir(parents=True, exist_ok=True)
    for old in sorted(out.rglob("*"), reverse=True):
        old.rmdir() if old.is_dir() else old.unlink()
    with tempfile.TemporaryDirectory() as scratch:
        folder, cache = Path(scratch) / "work", Path(scratch) / "cache"
        folder.mkdir()
        if target.makes:
            target.makes(data, folder)
        answers = []
        for text in target.commands:
            words = [word.replace("{data}", str(data)) for word in text.split()]
            answer = asked([python, "-m", "medaudit", *words], folder, environment_of(cache))
            answers.append({"command": text, "exit_code": answer.exit_code, "printed": answer.printed.splitlines()})
            costs.append({"command": text, **answer.cost})
        kept = {path for pattern in target.keeps for path in folder.glob(pattern)}
        for path in sorted(kept):
            goal = out / path.relative_to(folder)
            goal.parent.mkdir(parents=True, exist_ok=True)
            goal.write_bytes(steady(path))
    (out / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")
    return costs


def run(data: Path, out: Path, only: Sequence[str], python: str) -> int:
    """Ask all targets; 1 where one could not be asked, was stopped, or a data set has no target."""
    out.mkdir(parents=True, exist_ok=True)
    where = subprocess.run(
        [python, "-c", "import medaudit; print(medaudit.__file__)"],
        cwd=out, env=environment_of(out), capture_output=True, text=True, check=True,
    )  # fmt: skip
    print("asked:", where.stdout.strip(), flush=True)
    ledger = out / "cost.json"
    known = json.loads(ledger.read_text())["targets"] if ledger.exists() else {}
    amiss = unread(data) if not only else []
    for line in amiss:
        print(line)
    for name, target in chosen(TARGETS, only).items():
        if not (data / target.needs).exists():
            amiss.append(name)
            print(f"{name:<20} NOT ASKED: {target.needs} is not there", flush=True)
            continue
        known[name] = run_target(target, data, out / name, python)
        codes = [answer["exit_code"] for answer in json.loads((out / name / "answers.json").read_text())]
        if None in codes:
            amiss.append(name)
        files = sum(path.is_file() for path in (out / name).rglob("*")) - 1
        spent = f"{seconds(known[name]):7.1f} s cpu {sum(c['wall_seconds'] for c in known[name]):7.1f} s"
        print(
            f"{name:<20} {spent}  exit {', '.join('STOPPED' if c is None else str(c) for c in codes)}; {files} files",
            flush=True,
        )
        ledger.write_text(json.dumps({"asked": where.stdout.strip(), "targets": known}, indent=1) + "\n")
    print(f"{sum(map(seconds, known.values())):.0f} s cpu in all")
    return int(bool(amiss))


def seconds(costs: Sequence[Mapping[str, Any]]) -> float:
    """Processor seconds of a target."""
    return float(sum(cost["cpu_seconds"] for cost in costs))


def chosen(names: Mapping[str, Any], only: Sequence[str]) -> dict[str, Any]:
    """Those that a pattern fits, all where there is none."""
    return {name: value for name, value in names.items() if not only or any(fnmatch(name, pattern) for pattern in only)}


def unread(data: Path) -> list[str]:
    """Folders of DATA that hold files and no target reads, whole or in part."""
    needs = [data / target.needs for target in TARGETS.values() if target.needs]
    sets = [folder for kind in sorted(data.iterdir()) if kind.is_dir() for folder in sorted(kind.iterdir()) if folder.is_dir()]
    return [
        f"{folder.relative_to(data)}: no target reads it"
        for folder in sets
        if not any(need == folder or need in folder.parents or folder in need.parents for need in needs)
    ]


# ---- comparing -------------------------------------------------------------------------------------------------------


def tree_of(path: Path) -> Any:
    """A kept file as plain values with names, so that a difference has a place."""
    if path.suffix == ".json":
        return json.loads(path.read_bytes())
    if path.suffix == ".parquet":
        return parquet.read_table(path).to_pydict()
    if path.suffix == ".csv":
        return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8", errors="surrogateescape"), newline="")))
    return hashlib.sha256(path.read_bytes()).hexdigest()


ABSENT = object()


def differences(before: Any, after: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Place, old and new value of everything that differs. Items that have a code are matched by it, others by position."""
    if isinstance(before, list) and isinstance(after, list):
        matched = coded(before) and coded(after)
        before, after = ({item["code"] if matched else i: item for i, item in enumerate(side)} for side in (before, after))
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}"
            yield from differences(before.get(key, ABSENT), after.get(key, ABSENT), inner)
    elif repr(before) != repr(after):
        yield place, before, after


def coded(items: list[Any]) -> bool:
    """Whether every item has a `code` of its own."""
    codes = [item.get("code") for item in items if isinstance(item, dict)]
    return bool(items) and len(codes) == len(items) and None not in codes and len(set(codes)) == len(codes)


def compared(before: Path, after: Path) -> Iterator[tuple[str, Any, Any]]:
    """What differs between two folders of one target."""
    names = sorted({path.relative_to(side) for side in (before, after) for path in side.rglob("*") if path.is_file()})
    for name in names:
        old, new = before / name, after / name
        if not (old.is_file() and new.is_file()):
            yield str(name), "a file" if old.is_file() else ABSENT, "a file" if new.is_file() else ABSENT
        elif old.read_bytes() != new.read_bytes():
            found = list(differences(tree_of(old), tree_of(new), str(name)))
            yield from found or [(f"{name} (the same values in other bytes)", old.stat().st_size, new.stat().st_size)]


def shown(value: Any) -> str:
    """A value on a line."""
    text = "(not there)" if value is ABSENT else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 160 else f"{text[:150]}… ({len(text)} characters)"


def compare(before: Path, after: Path, only: Sequence[str]) -> int:
    """Print what differs, target by target; 1 where anything does, or where nothing could be compared."""
    sides = (before, after)
    costs = [json.loads((side / "cost.json").read_text())["targets"] if (side / "cost.json").exists() else {} for side in sides]
    names = sorted({path.name for side in sides for path in side.iterdir() if (path / "answers.json").exists()})
    differing = 0
    for name in chosen(dict.fromkeys(names), only):
        absent = [str(side) for side in sides if not (side / name / "answers.json").exists()]
        found = [] if absent else list(compared(before / name, after / name))
        spent = " → ".join(f"{seconds(cost[name]):.1f}" if name in cost else "?" for cost in costs) + " s cpu"
        stopped = not absent and any('"exit_code": null' in (side / name / "answers.json").read_text() for side in sides)
        differing += bool(absent or found or stopped)
        word = (
            f"ONLY ONE: not in {absent[0]}"
            if absent
            else "STOPPED"
            if stopped
            else f"{len(found)} DIFFER"
            if found
            else "equal"
        )
        print(f"{name:<20} {word}   ({spent})")
        for place, old, new in found[:SHOWN]:
            print(f"  {place}\n    before {shown(old)}\n    after  {shown(new)}")
        if len(found) > SHOWN:
            print(f"  … and {len(found) - SHOWN} more")
    total = len(chosen(dict.fromkeys(names), only))
    print(f"{total - differing} of {total} targets equal")
    return int(differing > 0 or total == 0)


def main() -> int:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs=2, type=Path, metavar="FOLDER", help="DATA OUT, or BEFORE AFTER with --compare")
    parser.add_argument("--compare", action="store_true", help="compare two runs")
    parser.add_argument("--only", nargs="+", default=[], metavar="PATTERN", help="these targets alone")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that runs medaudit")
    given = parser.parse_args()
    first, second = (path.resolve() for path in given.folders)
    if not first.is_dir() or (given.compare and not second.is_dir()):
        parser.error(f"{first if not first.is_dir() else second}: is no folder")
    return compare(first, second, given.only) if given.compare else run(first, second, given.only, given.python)


if __name__ == "__main__":
    sys.exit(main())
