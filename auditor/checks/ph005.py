"""PH005: a face can be recognised in head CT or MR."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Literal

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.groups import location
from auditor.evidence.privacy.exposed import not_seen
from auditor.evidence.privacy.face import Look
from auditor.evidence.privacy.heads import Body, bodies
from auditor.values.dataset import Dataset
from auditor.values.results import Column, Coverage, Finding, Severity, Table, Verdict

Word = Literal["a face can probably be seen", "defaced or skull-stripped", "cannot tell"]


@dataclass(frozen=True, kw_only=True)
class RecognisableFace(Check):
    """A face can probably be recognised in head CT or MR.

    ## What it does
    Looks at the front of every CT and MR volume (NIfTI, multi-frame DICOM) and series of slices that may show a head: by what
    the header says of the body part, else by size and shape. The skin is where air ends (−300 HU in CT; a threshold from the
    values in MR); the header says where the front is. There, on a grid of 3 mm, a nose is the one ridge in the middle that
    stands out from the cheeks at both sides, and eye sockets are two hollows beside its upper part. A head with a nose, or
    with a small nose and eye sockets, and with a sharp skin, is suspected. One without is called defaced or skull-stripped.
    Where the front or the top is outside of the picture, slices run from front to back, or say nothing of their place,
    nothing can be told.

    ## Why is this bad?
    Skin of a head scan can be rendered like a photograph and matched to photographs of people: of 84 people, 70 were found by
    a face recognition program from their MR scans.

    ## How to fix
    Deface the volumes (pydeface, quickshear, mri_reface, CTA-DEFACE) or strip the skull, look at the result, and scan again.
    Where faces are needed and the people have agreed, or where a face was replaced by another, waive the finding.

    ## Options
    * `min_nose`: millimetres that a ridge stands out by, in proportion to an adult's head, to be a nose without more evidence.
    * `min_small_nose`, `min_sockets`: the same for a nose that has eye sockets beside it, and their depth.
    * `max_blur`: a skin whose edge is wider than so many millimetres is blurred.
    * `max_findings`: so many volumes get a finding of their own; the table lists all.

    ## References
    * Schwarz et al.: Identification of anonymous MRI research participants with face-recognition software. NEJM 2019.
    * Farkas: Anthropometry of the Head and Face, 1994.
    * Limits: thresholds were set and tried on heads made in code alone (whole, faces zeroed, sheared off, blurred; stripped;
      other bodies; figures in the results page). It was never tried on real heads, infants, tubes, masks, beards, pillows,
      implants, coils, or replaced faces, which look like faces. A round test object counts as a head without a face. No
      finding is no proof: look at a rendering of the surface.
    """

    code: ClassVar[str] = "PH005"
    name: ClassVar[str] = "recognisable-face"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset({"fronts"})

    min_nose: float = 12.0
    min_small_nose: float = 6.0
    min_sockets: float = 2.0
    max_blur: float = 9.0
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge what the pass measured."""
        found = bodies(dataset)
        if not found:
            raise SkipCheck("no volume or series of CT or MR was read that says where front and top are")
        heads = [(body, self.word(body.look)) for body in found if body.look.state != "no head"]
        if not heads:
            raise SkipCheck(f"none of {len(found):,} volumes and series seems to show a head")
        counts = Counter(word for _, word in heads)
        faces = [body for body, word in heads if word == "a face can probably be seen"]
        told = len(heads) - counts["cannot tell"]
        if not told:
            why = "; ".join(dict.fromkeys(body.look.reason for body, _ in heads))
            raise SkipCheck(f"nothing can be told of the front of {len(heads):,} volumes and series: {why}")
        return Verdict(
            summary=(
                f"A face can probably be seen in {len(faces):,} of {told:,} heads"
                if faces
                else f"No face is seen on {told:,} heads: defaced or skull-stripped, as far as their surface tells"
                f"{not_seen(dataset)}"
            )
            + (f"; {counts['cannot tell']:,} more cannot be told" if counts["cannot tell"] else ""),
            metrics={
                "volumes": len(found),
                "heads": len(heads),
                "heads_with_face": len(faces),
                "heads_without_face": counts["defaced or skull-stripped"],
                "heads_not_told": counts["cannot tell"],
            },
            findings=self.findings(dataset, faces, told),
            tables=(head_table(dataset, heads),),
            coverage=Coverage(
                evaluated=told,
                total=len(heads),
                unit="heads",
                reason="; ".join(dict.fromkeys(body.look.reason for body, word in heads if word == "cannot tell")),
            ),
        )

    def word(self, seen: Look) -> Word:
        """What is said of one head."""
        if seen.state != "seen":
            return "cannot tell"
        ridge = seen.nose >= self.min_nose or (seen.nose >= self.min_small_nose and seen.sockets >= self.min_sockets)
        if ridge and seen.blur <= self.max_blur:
            return "a face can probably be seen"
        return "cannot tell" if seen.reason else "defaced or skull-stripped"

    def findings(self, dataset: Dataset, faces: list[Body], told: int) -> tuple[Finding, ...]:
        """One per head; of many, one for all before them."""
        made: list[Finding] = []
        if len(faces) > self.max_findings:
            made.append(
                Finding(
                    code=self.code,
                    severity=self.severity,
                    message=f"A face can probably be seen in {len(faces):,} of {told:,} heads. Deface them all",
                    subject="the dataset",
                    score=len(faces) / told,
                    evidence={"heads": told, "faces": len(faces)},
                )
            )
        for body in sorted(faces, key=lambda body: -body.look.nose)[: self.max_findings]:
            what = "this volume" if len(body.positions) == 1 else f"this series of {len(body.positions):,} slices"
            made.append(
                Finding(
                    code=self.code,
                    severity=self.severity,
                    message=f"A face can probably be seen in {what}: a nose of {body.look.nose:.0f} mm. Deface it",
                    where=location(dataset, int(body.positions[0])),
                    subject="face",
                    score=round(body.look.nose, 2),
                    evidence={"nose_mm": round(body.look.nose, 1), "sockets_mm": round(body.look.sockets, 1)},
                )
            )
        return tuple(made)


def head_table(dataset: Dataset, heads: list[tuple[Body, Word]]) -> Table:
    """All heads with what is said of them, faces first."""
    order = {"a face can probably be seen": 0, "cannot tell": 1, "defaced or skull-stripped": 2}
    rows = sorted(heads, key=lambda row: order[row[1]])
    seen = [(body.look if body.look.state == "seen" else None) for body, _ in rows]
    names = [str(dataset.records.index[int(body.positions[0])]) for body, _ in rows]
    return Table(
        name="heads",
        title="Heads and what their front shows",
        columns=(
            Column(name="record", kind="record", values=names, title="First record"),
            Column(name="slices", kind="integer", values=[len(body.positions) for body, _ in rows], title="Files"),
            Column(name="word", kind="text", values=[word for _, word in rows], title="Said"),
            Column(name="nose", kind="number", values=[round(s.nose, 1) if s else None for s in seen], title="Nose, mm"),
            Column(
                name="sockets", kind="number", values=[round(s.sockets, 1) if s else None for s in seen], title="Sockets, mm"
            ),
            Column(
                name="blur", kind="number", values=[round(s.blur, 1) if s else None for s in seen], title="Edge of skin, mm"
            ),
            Column(name="reason", kind="text", values=[body.look.reason for body, _ in rows], title="Why not told"),
        ),
    )
