"""PH004: pictures that look as if text were burned into their edges, by device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.privacy.exposed import pixels_unread
from auditor.feature import feature_needs
from auditor.features.lettering import BURNED, FEWEST
from auditor.features.recognition import FAILED, LEAST_READ, LEAST_ROW, burned
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict

LETTERS, RECOGNISED = "lettering.line_letters", "recognition.letters"
NO_DEVICE = "no device named"


@dataclass(frozen=True, kw_only=True)
class BurnedInText(Check):
    """Text may be burned into the pixels.

    ## What it does
    Counts, in the outer 30 % of every picture at each edge, small thin shapes of even height and brightness that stand in
    one row like letters, bright on dark or dark on bright. A picture with a row of at least `min_letters` is suspected.
    Pictures are grouped by device (manufacturer and model), because what a machine writes into one picture it writes into
    all: one finding per device, and a contact sheet of its pictures in the report. Nothing is read: the check cannot tell
    a name from a scale. Of an image with several pages, frames or slices the middle one is looked at; the others are counted
    as not seen.

    With `--ocr` (`pip install 'medaudit[ocr]'`: rapidocr, with its models, offline) a recogniser looks at every picture with
    a row of 3 shapes or more, in the same bounded workers; where it finds 3 letters or digits the picture is suspect, too. They
    are counted; which they are is neither kept nor shown. It takes no suspicion away: no recogniser knows every script.

    ## Why is this bad?
    A name in the pixels survives every header check, is seen by everybody who looks, and is learned by a network as a mark
    of the hospital (LK). Ultrasound, endoscopy, fluoroscopy and secondary captures carry it most often.

    ## How to fix
    Look at the pictures of each device: the report shows them small and with veiled edges, so open the files. Where the text
    names somebody, blank that region for all pictures of the device; where it does not (a scale, a body mark), waive the
    finding with that reason.

    ## Options
    * `min_letters`: length of the row that makes a picture suspect, 5 or more.
    * `max_shown`: pictures per device in the table.

    ## References
    DICOM PS3.15 2026c, Annex E.3.1 (Clean Pixel Data Option). On 369 real pictures of eleven kinds, rows of 9 and more
    were found in those with burned-in text alone; short texts below it are missed. Of 78 texts that were drawn into real
    pictures with a rim, it saw 24, and 70 with `--ocr` (benchmarks/burned_in.py): no finding is no proof.
    """

    code: ClassVar[str] = "PH004"
    name: ClassVar[str] = "burned-in-text"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = feature_needs("lettering")

    min_letters: int = BURNED
    max_shown: int = 40

    def __post_init__(self) -> None:
        """Refuse what would pass unseen: shorter rows are not measured."""
        if self.min_letters < FEWEST:
            raise ConfigError(f"min-letters = {self.min_letters}: rows of fewer than {FEWEST} letters are not looked for")

    def run(self, dataset: Dataset) -> Verdict:
        """Judge the feature by device."""
        if LETTERS not in dataset.features.columns or not dataset.features[LETTERS].notna().any():
            raise SkipCheck("no pixels were read, so nobody looked for text in them")
        letters = dataset.features[LETTERS].to_numpy(np.float64)
        recognised = dataset.features[RECOGNISED].to_numpy(np.float64) if RECOGNISED in dataset.features.columns else None
        failed = np.zeros(dataset.size, np.bool_) if recognised is None else recognised == FAILED
        suspect = burned(letters, recognised, least=self.min_letters)
        seen = np.isfinite(letters) & (suspect | ~failed)
        devices = devices_of(dataset)
        rows = [(name, seen & at, suspect & at) for name, at in groups(devices) if (suspect & at).any()]
        rows.sort(key=lambda row: (-int(row[2].sum()), row[0]))
        unread, further = pixels_unread(dataset), pages_beside(dataset, seen)
        return Verdict(
            summary=(
                f"{int(suspect.sum()):,} of {int(seen.sum()):,} pictures seem to have text burned in, from {len(rows)} devices"
                if rows
                else f"No row of {self.min_letters} letters found in {int(seen.sum()):,} pictures{tried(recognised)}; shorter "
                f"texts would not be seen; pixels of {unread:,} files not read"
            ),
            metrics={
                "images_read": int(seen.sum()),
                "images_suspect": int(suspect.sum()),
                "images_suspect_fraction": float(suspect.sum() / max(1, seen.sum())),
                "devices_suspect": len(rows),
                **({} if recognised is None else {"images_recognised": int((recognised >= LEAST_READ).sum())}),
            },
            findings=tuple(self.finding(dataset, name, at, bad, letters) for name, at, bad in rows),
            tables=(device_table(rows), self.picture_table(dataset, rows, letters)) if rows else (),
            coverage=Coverage(
                evaluated=int(seen.sum()),
                total=dataset.size + further,
                unit="pictures" if further else "records",
                reason=unseen(
                    unread=int((~np.isfinite(letters)).sum()), failed=int((failed & ~suspect).sum()), further=further
                ),
            ),
        )

    def finding(
        self,
        dataset: Dataset,
        device: str,
        at: npt.NDArray[np.bool_],
        bad: npt.NDArray[np.bool_],
        letters: npt.NDArray[np.float64],
    ) -> Finding:
        """One device, pointing to its clearest picture."""
        clearest = int(np.argmax(np.where(bad, letters, -1)))
        path = dataset.records["path"].iloc[clearest]
        return Finding(
            code=self.code,
            severity=self.severity,
            message=f"{int(bad.sum()):,} of {int(at.sum()):,} pictures of {device} look as if text were burned in. "
            "Look at them, and blank what names somebody",
            where=Location(
                path=path if isinstance(path, str) else None, record=str(dataset.records.index[clearest]), field=LETTERS
            ),
            subject=device,
            score=float(bad.sum() / at.sum()),
            evidence={"images": int(at.sum()), "suspect": int(bad.sum()), "longest_row": int(letters[clearest])},
        )

    def picture_table(
        self,
        dataset: Dataset,
        rows: list[tuple[str, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]],
        letters: npt.NDArray[np.float64],
    ) -> Table:
        """The pictures to look at, a contact sheet per device: the clearest of each device, then the second of each, and on."""
        ranked: list[tuple[int, int, int]] = []
        for device, (_, _, bad) in enumerate(rows):
            at = np.flatnonzero(bad)
            kept = at[np.argsort(-letters[at], kind="stable")][: self.max_shown]
            ranked += [(rank, device, int(i)) for rank, i in enumerate(kept)]
        chosen = [(rows[device][0], i) for _, device, i in sorted(ranked)]
        return Table(
            name="pictures",
            title="Pictures to look at",
            columns=(
                Column(
                    name="record", kind="record", values=tuple(str(dataset.records.index[i]) for _, i in chosen), title="Record"
                ),
                Column(name="sheet", kind="text", values=tuple(name for name, _ in chosen), title="Device"),
                Column(name="letters", kind="integer", values=tuple(int(letters[i]) for _, i in chosen), title="Longest row"),
            ),
        )


def tried(recognised: npt.NDArray[np.float64] | None) -> str:
    """That a recogniser has looked, too."""
    return "" if recognised is None else f", nor {LEAST_READ} letters recognised where there was one of {LEAST_ROW}"


def pages_beside(dataset: Dataset, seen: npt.NDArray[np.bool_]) -> int:
    """How many pages, frames or slices of the pictures that were seen are not the middle one, which alone is looked at."""
    if "frames" not in dataset.facts.columns:
        return 0
    return int((dataset.facts["frames"].fillna(1).to_numpy(np.float64)[seen] - 1).clip(min=0).sum())


def unseen(*, unread: int, failed: int, further: int) -> str:
    """Why pictures could not be judged."""
    reasons = ["pixels that cannot be read"] if unread else []
    reasons += [f"{failed:,} pictures with a short row of shapes, on which the recogniser failed"] if failed else []
    reasons += [f"{further:,} pages or slices that are not the middle one of their image"] if further else []
    return "; ".join(reasons)


def devices_of(dataset: Dataset) -> pd.Series:
    """Manufacturer and model of every record, from DICOM or from EXIF."""
    parts = [
        dataset.metadata[name].astype(object).where(dataset.metadata[name].notna(), "").astype(str)
        for name in ("dicom.Manufacturer", "dicom.ManufacturerModelName", "container.make", "container.model")
        if name in dataset.metadata
    ]
    joined = pd.Series("", index=dataset.records.index, dtype=object)
    for part in parts:
        joined = joined.str.cat(part, sep=" ")
    joined = joined.str.split().str.join(" ")
    return joined.where(joined != "", NO_DEVICE)


def groups(devices: pd.Series) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """Device → its records."""
    codes, names = pd.factorize(devices, sort=True)
    return [(str(name), codes == i) for i, name in enumerate(names)]


def device_table(rows: list[tuple[str, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]) -> Table:
    """Devices with suspect pictures."""
    return Table(
        name="devices",
        title="Suspect pictures by device",
        columns=(
            Column(name="device", kind="text", values=tuple(name for name, _, _ in rows), title="Device"),
            Column(name="images", kind="integer", values=tuple(int(at.sum()) for _, at, _ in rows), title="Pictures"),
            Column(name="suspect", kind="integer", values=tuple(int(bad.sum()) for _, _, bad in rows), title="Suspect"),
            Column(
                name="fraction",
                kind="fraction",
                values=tuple(float(bad.sum() / at.sum()) for _, at, bad in rows),
                title="Share suspect",
            ),
        ),
    )
