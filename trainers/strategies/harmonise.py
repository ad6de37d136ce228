"""harmonise: one container, one depth, one size rule and no metadata, for all classes alike."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from auditor.values.corrections import Correction, Proposal
from auditor.values.dataset import Dataset
from auditor.values.image import Limits
from auditor.values.remedies import fields_of
from auditor.values.results import Cell
from trainers.decoding.shown import told_channels
from trainers.rewriting.encoding_traces import COLUMNS
from trainers.rewriting.forensics import Residual, drawn_rows, judge_traces
from trainers.rewriting.form_report import Looked, Made, SizeChange, form_notes, size_change, sources_table
from trainers.rewriting.rewrite import SUFFIX, Form, common_form, sizes_of
from trainers.rewriting.rewrite_pass import RewriteSetup, Rewritten, Surveyed, read_all
from trainers.rewriting.sizes import Canvas, chosen_canvas, common_size, common_spacing, largest
from trainers.strategy import Answers, Case, NotApplicable, Strategy

_AXES = {
    "container.height": "height", "dicom.Rows": "height", "nifti.dim2": "height",
    "container.width": "width", "dicom.Columns": "width", "nifti.dim1": "width",
    "dicom.PixelSpacing": "spacing", "dicom.PixelSpacingColumn": "spacing", "dicom.ImagerPixelSpacing": "spacing",
    "nifti.pixdim1": "spacing", "nifti.pixdim2": "spacing",
}  # fmt: skip
_CODES = ("LK001", "LK003", "LK002")


@dataclass(frozen=True, kw_only=True)
class Harmonise(Strategy):
    """All files written alike, and a look for what that cannot remove.

    ## What it does

    Writes every image anew as PNG (stacks of frames as NIfTI) with no metadata and not compressed, since how well a picture
    can be would show in the size of its file: grey unless a picture has colours, in the smallest depth that a file declares,
    because deeper pictures would keep grey levels that shallower ones cannot have. Levels become brightness by the declared
    bits (a 16-bit file with 12 bits stored by 12); files of 16 bits in 16, which declare room and no depth, by the bits that
    any of them uses; signed levels, slope and intercept on one scale of physical units; MONOCHROME1 is turned over. Files are
    called by numbers in random order. Unreadable ones are left out, with the reason.

    Then the pixel-forensic probe looks for what re-saving cannot remove: traces of JPEG, of stretched grey levels and of
    resampling in the new pixels. If they tell the class out of fold, it says so.

    A network that learns from the old files is compared with one that learns from the new ones, on records that neither saw:
    whether the task survives (a loss of less than .02), whether its score fell, or that this cannot be told. A score that falls
    may be the leak that is gone, since the evaluation records have it too: look at the pictures before and after.

    ## When

    LK001, LK002 or LK003 on encoding fields: how a file was written tells the class.

    ## Options

    * `size` (`auto`): `keep`; `pad` to the largest; `resize` to one height and width; `spacing`: one distance between pixels.
      `auto` keeps sizes unless height, width or spacing tells the class (LK001). Then it takes one spacing where files were
      only sampled differently, one height or one width where that is enough, else one size. Proportions are kept. No side gets
      smaller than what nine tenths of the pictures hold, and at most half of all pixels are given up. Where masks, boxes or
      points lie on the pictures sizes are kept, and so is the place of the voxels of a volume.
    * `fill` (`auto`): pictures of other proportions get a dark border (`pad`) or lose their edges (`crop`); `auto` pads, and
      crops where the proportions tell the class and a tenth of the picture at most is cut off.
    * `height`, `width` (0 = chosen): your word on the size, also below what was said above.
    * `colour` (`auto`): `grey` makes grey pictures of coloured ones too.
    * `rename` (true): neutral file names, where no role is read from the names.
    * `workers` (−1): processes that read and write; −1 = one per core.

    ## References

    * DICOM PS3.3 C.7.6.3.1 and C.11.1 (bits stored, rescale, photometric interpretation).
    * Zech et al., PLoS Medicine 2018; Ignatov & Malivenko 2024 (NCT-CRC-HE): what networks learn from encodings.
    * Popescu & Farid 2004; Fan & de Queiroz 2003; Stamm & Liu 2010; Mahdian & Saic 2008 (the traces).
    """

    name: ClassVar[str] = "harmonise"
    answers: ClassVar[Answers] = "files"
    trains: ClassVar[bool] = False
    redraws: ClassVar[bool] = True

    size: Literal["auto", "keep", "pad", "resize", "spacing"] = "auto"
    fill: Literal["auto", "pad", "crop"] = "auto"
    height: int = 0
    width: int = 0
    colour: Literal["auto", "grey"] = "auto"
    rename: bool = True
    workers: int = -1

    def propose(self, case: Case) -> Proposal:
        """Rewrite all files into `case.work`. Raises NotApplicable where the records are no files of their own."""
        dataset = case.dataset
        hindrance = why_not(dataset)
        if hindrance:
            raise NotApplicable(hindrance)
        paths = list(dict.fromkeys(map(str, dataset.records["path"].dropna())))
        limits = Limits()
        looked = self._look(case, paths, limits)
        if not looked.seen:
            raise NotApplicable("none of the files can be read")
        classes = classes_by_path(dataset)
        canvas, notes = self._canvas(case, looked, classes)
        form = common_form(looked.seen.values(), canvas=canvas, colour=self.colour, placed=drawn_on(dataset))
        rows = drawn_rows(dataset, case.trust.training, seed=case.seed)
        made = self._make(case, list(looked.seen), limits, form, rows)
        residual = self._probe(dataset, rows, made, case.seed)
        names = self._names(dataset, list(made.files), SUFFIX[form.container], case.seed, notes)
        change = size_change(looked, classes, canvas)
        return self._proposal(case, looked, made, form, residual, names, change, notes)

    def _look(self, case: Case, paths: Sequence[str], limits: Limits) -> Looked:
        looked = Looked()
        # What ended or outlasted a worker during the scan is not opened again.
        looked.unread.update({p.path: p.reason for p in case.dataset.problems if p.record is not None})
        setup = RewriteSetup(root=case.dataset.root, limits=limits, cache=None)
        wanted = [path for path in paths if path not in looked.unread]
        for one in read_all(wanted, setup, workers=self._crew(), stage="looking at the files", progress=case.progress):
            if isinstance(one, Surveyed):
                looked.seen[one.record], looked.formats[one.record] = one.seen, one.source
            elif one.problem is not None:
                looked.unread[one.record] = one.problem[1]
        return looked

    def _make(self, case: Case, paths: Sequence[str], limits: Limits, form: Form, rows: npt.NDArray[np.int64]) -> Made:
        made, folder = Made(), case.work / self.name
        folder.mkdir(parents=True, exist_ok=True)
        traced = frozenset(case.dataset.records["path"].iloc[rows].astype(str))
        setup = RewriteSetup(root=case.dataset.root, limits=limits, cache=None, form=form, folder=folder, traced=traced)
        for one in read_all(paths, setup, workers=self._crew(), stage="writing all files alike", progress=case.progress):
            if isinstance(one, Rewritten):
                made.files[one.record] = one.file
                made.levels.append(one.levels)
                if one.traces is not None:
                    made.traces[one.record] = one.traces
        return made

    def _crew(self) -> int:
        return max(1, os.cpu_count() or 1) if self.workers < 0 else self.workers

    def _probe(self, dataset: Dataset, rows: npt.NDArray[np.int64], made: Made, seed: int) -> Residual:
        nothing = np.full(len(COLUMNS), np.nan, np.float32)
        found = [made.traces.get(str(path), nothing) for path in dataset.records["path"].iloc[rows]]
        traces = np.stack(found) if found else np.empty((0, len(COLUMNS)), np.float32)
        return judge_traces(dataset, rows, traces, seed=seed)

    def _canvas(self, case: Case, looked: Looked, classes: Mapping[str, object]) -> tuple[Canvas, list[str]]:
        """The size of all pictures, and what is to be told about it."""
        # height and width may stand behind the plainest field that parts the records in the same way
        fields = [name for f in case.result.findings if f.code == "LK001" and f.waived is None for name in fields_of(f)]
        told = {_AXES[name] for name in fields if name in _AXES}
        sizes, said = sizes_of(looked.seen.values()), [classes.get(path) for path in looked.seen]
        named = self.height > 0 or self.width > 0
        if self.size == "keep" or (self.size == "auto" and not told and not named):
            return Canvas(), []
        if drawn_on(case.dataset):
            return Canvas(), ["sizes were kept, because masks, boxes or points lie on the pictures pixel by pixel"]
        if self.size == "spacing":
            if not ((sizes.rows > 0).all() and (sizes.columns > 0).all()):
                return Canvas(), ["sizes were kept: not every file says how far apart its pixels are"]
            return common_spacing(sizes), []
        if self.size == "pad":
            return largest(sizes), []
        if named or self.size == "resize":
            return common_size(sizes, said, fill=self.fill, height=self.height, width=self.width), []
        return chosen_canvas(sizes, said, told, fill=self.fill), []

    def _names(self, dataset: Dataset, paths: Sequence[str], suffix: str, seed: int, notes: list[str]) -> dict[str, str]:
        """Path → path below the folder of images in the copy."""
        ordered = sorted(paths)
        number = np.random.default_rng([seed, 11]).permutation(len(ordered))
        width = len(str(max(1, len(ordered) - 1)))
        why = named_roles(dataset)
        neutral = self.rename and not why
        if self.rename and why:
            notes.append(f"file names were kept: {why}")
        stems = [stem_of(path) for path in ordered]
        clash = len(set(stems)) < len(stems)
        names = {}
        for path, stem, n in zip(ordered, stems, number.tolist(), strict=True):
            own = f"{n:0{width}d}" if neutral else f"{PurePosixPath(stem).name}-{n:0{width}d}" if clash else None
            parent = "" if neutral else stem.rpartition("/")[0]
            new = stem if own is None else f"{parent}/{own}" if parent else own
            names[path] = new + suffix
        return names

    def _proposal(
        self, case: Case, looked: Looked, made: Made, form: Form, residual: Residual, names: Mapping[str, str],
        change: SizeChange, notes: Sequence[str],
    ) -> Proposal:  # fmt: skip
        dataset = case.dataset
        code = next((c for c in _CODES if case.has(c)), _CODES[0])
        reason = "written anew like all other files"
        corrections, removed = [], {}
        for record, path in dataset.records["path"].items():
            if isinstance(path, str) and path in names:
                if names[path] != path:
                    corrections.append(
                        Correction(
                            record=str(record), field="path", old=path, new=names[path], code=code, strategy=self.name,
                            reason=reason, safe=True,
                        )
                    )  # fmt: skip
            elif isinstance(path, str):
                removed[str(record)] = f"cannot be read: {looked.unread.get(path, 'the file changed meanwhile')}"
        kind = "NIfTI" if form.container == "nifti" else "PNG"
        colours = "colour" if form.channels == 3 else "grey"
        left_out = f"; {len(removed):,} records are left out, because their files cannot be read" if removed else ""
        metrics: dict[str, Cell] = {
            "files_rewritten": len(names), "records_left_out": len(removed), "container": kind, "depth_bits": form.bits,
            "channels": form.channels, **change.metrics, **residual.metrics,
        }  # fmt: skip
        return Proposal(
            strategy=self.name,
            summary=f"{len(names):,} files written alike: {kind}, {colours}, {form.bits} bits, no metadata{left_out}. "
            f"{change.summary} {residual.summary}",
            corrections=tuple(corrections),
            removed=removed,
            files={names[path]: made.files[path] for path in sorted(made.files)},
            metrics=metrics,
            tables=(sources_table(looked), *((residual.table,) if residual.told else ())),
            notes=(*notes, *change.notes, *form_notes(looked, made, form), *lost_ids(dataset), *residual.notes),
        )


def drawn_on(dataset: Dataset) -> bool:
    """Masks, boxes or points lie on the pictures."""
    return dataset.has("mask") or any(map(len, (dataset.boxes, dataset.points, dataset.rater_masks)))


def classes_by_path(dataset: Dataset) -> dict[str, object]:
    """Path → what is said of its first record; empty where there are no classes."""
    if dataset.labels.task == "none":
        return {}
    found: dict[str, object] = {}
    for path, label in zip(dataset.records["path"], dataset.labels.values, strict=True):
        if isinstance(path, str):
            found.setdefault(path, label)
    return found


def why_not(dataset: Dataset) -> str | None:
    """Why the files of a dataset cannot be written anew one by one, in words, or None."""
    records = dataset.records
    if not records["path"].notna().any():
        return "there are no image files"
    if (records["item"].fillna("") != "").any():
        return "the images lie in one array: they share container, depth and size already"
    if not dataset.channels.empty:
        return f"a record is several files here ({told_channels(dataset)}), and one file of each record is written anew"
    return None


def named_roles(dataset: Dataset) -> str:
    """What would be lost with the file names, in words; empty where nothing.

    Where the user has no label table, the copy gets one that holds all roles, whatever they were read from.
    """
    if len(dataset.boxes) and dataset.summary.layout != "table":
        return "the annotations find their images by name"
    if dataset.summary.layout != "table":
        return ""
    roles = sorted({g.role for g in dataset.summary.guesses if g.value in ("file name", "file names")})
    return f"{' and '.join(roles)} {'is' if len(roles) == 1 else 'are'} read from them" if roles else ""


def stem_of(path: str) -> str:
    """The path without the suffix of its format."""
    folder, _, name = path.rpartition("/")
    stem = name.removesuffix(".gz").rpartition(".")[0] or name
    return f"{folder}/{stem}" if folder else stem


def lost_ids(dataset: Dataset) -> list[str]:
    """Roles that stand in the headers alone."""
    roles = sorted(g.role for g in dataset.summary.guesses if g.value == "file header")
    if not roles or dataset.summary.layout != "table":
        return []
    return [
        f"{', '.join(roles)}: read from the file headers, which the new files do not have; add columns for them to the table"
    ]
