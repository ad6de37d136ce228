"""PH007: names, dates or record numbers stand in paths and in tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.kin.duplicates import plural
from auditor.evidence.privacy.described import PLACE
from auditor.evidence.privacy.exposed import field_table, not_seen
from auditor.evidence.privacy.withhold import OWN_HEADER, stem, telling_parts
from auditor.values.dataset import Dataset
from auditor.values.results import Coverage, Finding, Location, Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class NamesInPathsAndTables(Check):
    """Names, dates or record numbers stand in paths or tables.

    ## What it does
    Looks at the names of all files and folders, at the names of the columns of every table that lies there,
    and at the first rows of these tables (256 KiB each). A part of a path counts when it looks like a person's name (two
    words with `^` between them, a family name with initials, a listed given name beside a listed family name, or beside a
    word that is neither ordinary nor of medicine; where three parts do, and a fifth of all that are made of two or three such
    words, the others of that build do, too), a full date or the number of a record (`MRN` and digits), or when it repeats the
    value of an identifying DICOM element of its own file. A column counts by its name (`patient_name`, `mrn`, `dob`, `phone`)
    when it holds real values, or when half of its values look like names, record numbers or e-mail addresses; a name or
    number must look like one, so that names of files, devices and classes are left alone. JSON files that describe images
    (BIDS sidecars) are looked at field by field at any depth, and a DICOMDIR, and DICOM files that are no records
    (segmentations, contours, masks), element by element; the name of an institution is a warning there. Declared pseudonyms
    do not count. Names, numbers and repeated values are errors; dates in paths are warnings, because they may be those of a
    release. In every report of the scan, such parts of paths are called `withheld-1`, `withheld-2`, …, numbered in the order
    of their sorted names.

    ## Why is this bad?
    A file's name travels further than the file: into logs, into error messages, into papers. Tables are exported from
    hospital systems with more columns than anybody asked for.

    ## How to fix
    Rename files and folders by pseudonyms, and drop these columns. Where the values are pseudonyms, declare their pattern
    in `[privacy] pseudonyms`.

    ## Options
    * `dates`: False leaves dates in paths out.

    ## References
    Of invented names of twelve countries (200 each, seven ways of writing), one name alone was found in 1 to 72 of 100 (Turkey
    and India fewest, the USA most), and something in 112 of 120 sets of 20 such names: no finding is no proof. Of 103,808 names
    of files and folders of installed programs two were taken for people's.
    DICOM PS3.15 2026c, Annex E.1; 45 CFR 164.514 (b)(2): names, dates, telephone numbers, record numbers.
    """

    code: ClassVar[str] = "PH007"
    name: ClassVar[str] = "names-in-paths-and-tables"
    severity: ClassVar[Severity] = Severity.ERROR

    dates: bool = True

    def run(self, dataset: Dataset) -> Verdict:
        """One finding per kind of thing in paths, and one per column of a table."""
        paths = dataset.records["path"].notna().sum()
        looked = [look for look in dataset.tables if look.rows]
        if not paths and not looked:
            raise SkipCheck("neither paths nor tables are there to look at")
        parts = telling_parts(dataset)
        kinds = Counter(kind for found in parts.values() for kind in found if self.dates or kind != "date")
        if kinds["date"] <= dates_by_chance(dataset):
            del kinds["date"]
        findings = [self.path_finding(kind, count) for kind, count in sorted(kinds.items())]
        rows: list[tuple[str, str, int, float]] = []
        described: dict[tuple[str, str], list[str]] = {}
        for look in looked:
            for column, held in look.columns.items():
                if not look.is_table:
                    described.setdefault((column, held), []).append(look.name)
                    continue
                findings.append(self.column_finding(look.name, column, held, look.rows))
                rows.append((f"{look.name}: {column}", held, look.rows, 1.0))
        if dataset.tables and not looked and not kinds:
            raise SkipCheck(
                f"none of {plural(len(dataset.tables), 'table')} could be looked into: not tables, or too large; "
                f"{int(paths):,} paths hold no name, date or record number"
            )
        for (field, held), files in sorted(described.items()):
            findings.append(self.field_finding(field, held, files))
            rows.append((field, held, len(files), 1.0))
        clean = f"No name, date or record number found in {int(paths):,} paths, {len(looked)} tables and descriptions"
        told = [f"{count:,} parts of paths hold a {kind}" for kind, count in sorted(kinds.items())]
        told += [f"columns and fields that may tell of people: {len(rows):,}"] if rows else []
        summary = "; ".join(told) or clean + not_seen(dataset)
        return Verdict(
            summary=summary,
            metrics={"path_parts_telling": len(parts), "table_columns_telling": len(rows), "tables_looked_at": len(looked)},
            findings=tuple(findings),
            tables=(field_table(rows, "Columns that tell of people"),) if rows else (),
            coverage=Coverage(
                evaluated=int(paths) + len(looked),
                total=int(paths) + len(dataset.tables),
                unit="paths and tables",
                reason="not tables, or too large to look into" if len(looked) < len(dataset.tables) else "",
            ),
        )

    def path_finding(self, kind: str, count: int) -> Finding:
        """All parts of paths of one kind."""
        shown = "value of an identifying DICOM element" if kind == OWN_HEADER else kind
        return Finding(
            code=self.code,
            severity=Severity.WARNING if kind == "date" else Severity.ERROR,
            message=f"{count:,} names of files or folders seem to hold a {shown}; reports call them withheld-1, withheld-2, …. "
            "Rename them, or declare the pattern of the pseudonyms",
            where=Location(field="path"),
            subject=kind,
            evidence={"parts": count},
        )

    def field_finding(self, field: str, kinds: str, files: list[str]) -> Finding:
        """One field of all descriptions that hold it."""
        place = kinds == PLACE
        return Finding(
            code=self.code,
            severity=Severity.WARNING if place else Severity.ERROR,
            message=f"Field {field!r} in {plural(len(files), 'file')} beside the images seems to hold: {kinds}. "
            + ("See that it may stay" if place else "Empty it, or declare its pseudonyms"),
            where=Location(path=files[0] if len(files) == 1 else None, field=f"table.{field}"),
            subject=f"described: {field}",
            evidence={"kinds": kinds, "files": len(files)},
        )

    def column_finding(self, table: str, column: str, kinds: str, rows: int) -> Finding:
        """One column."""
        return Finding(
            code=self.code,
            severity=Severity.ERROR,
            message=f"Column {column!r} seems to hold: {kinds} (looked at {rows:,} rows). Drop it, or declare its pseudonyms",
            where=Location(path=table, field=f"table.{column}"),
            subject=f"{table}: {column}",
            evidence={"kinds": kinds, "rows": rows},
        )


def dates_by_chance(dataset: Dataset) -> int:
    """How many names may read as a date by chance: of names drawn at random from 0–9 and a–f, one in a thousand; else none."""
    stems = dataset.records["path"].dropna().astype("str").map(lambda path: stem(path.rpartition("/")[2]).lower())
    drawn = stems.str.fullmatch(r"(?=.*[a-f])(?=.*\d)[0-9a-f]{8,}")
    return -(-len(stems) // 1000) if len(stems) and float(drawn.mean()) >= 0.9 else 0
