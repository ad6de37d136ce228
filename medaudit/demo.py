"""`medaudit demo`: makes the flawed dataset (`medaudit.flawed`), tells what a scan found of it, and what corrects it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.degrade.flaws import Truth
from auditor.values.results import Cell, Finding, ScanResult, Severity
from medaudit.flawed import DEEP, SHALLOW, Planted, make_demo

__all__ = ["BUDGET", "ORDER", "Planted", "make_demo", "tell"]

ORDER: tuple[str, ...] = ("resplit", "deduplicate", "harmonise")
"""The corrections that the demo ends with: of splits, copies and files."""


BUDGET = 30.0
"""Seconds for the two networks that say whether the task survives harmonising: a demo is watched."""


def tell(planted: Planted, result: ScanResult) -> tuple[list[str], bool]:
    """What was planted and what the scan found of it, one line each, and whether all of it was found.

    Flipped labels count as found when at least half of them are flagged, and at least three times as often as labels that
    are right: the images of about one pneumonia in twenty cannot be told from normal ones, so not every flip can be found.
    """
    seen = Seen(result)
    verdicts = [
        _depth(seen),
        _patients(planted, seen),
        _copied(planted, seen),
        _altered(planted, seen),
        _contradictions(planted, seen),
        _flips(planted, seen),
        _poor_rater(planted, seen),
        _unreadable(planted, seen),
    ]
    lines = [f"{'found' if found else 'NOT FOUND':9}  {line}" for found, line in verdicts]
    return lines, all(found for found, _ in verdicts)


class Seen:
    """A scan's result, asked by code and path."""

    def __init__(self, result: ScanResult) -> None:
        self.outcomes = {o.code: o for o in result.outcomes}
        self.paths: dict[str, str] = {}
        for outcome in result.outcomes:
            for table in outcome.verdict.tables if outcome.verdict else ():
                named = {c.name: c.values for c in table.columns}
                for record, path in (("record", "path"), ("record_a", "path_a"), ("record_b", "path_b")):
                    if record in named and path in named:
                        self.paths.update((str(r), str(p)) for r, p in zip(named[record], named[path], strict=True))
            for finding in outcome.verdict.findings if outcome.verdict else ():
                if finding.where.record is not None and finding.where.path is not None:
                    self.paths[finding.where.record] = finding.where.path

    def findings(self, code: str) -> Sequence[Finding]:
        """The findings of one check; empty when it was skipped or crashed."""
        outcome = self.outcomes.get(code)
        return outcome.verdict.findings if outcome and outcome.verdict else ()

    def rows(self, code: str, name: str) -> list[dict[str, Cell]]:
        """The rows of one table of a check; empty when it is not there."""
        outcome = self.outcomes.get(code)
        for table in outcome.verdict.tables if outcome and outcome.verdict else ():
            if table.name == name:
                columns = [c.name for c in table.columns]
                return [dict(zip(columns, row, strict=True)) for row in zip(*(c.values for c in table.columns), strict=True)]
        return []

    def path(self, record: Cell) -> str:
        """The path of a record; a record that no table names with its path is called by it."""
        return self.paths.get(str(record), str(record))

    def unseen(self, code: str) -> str:
        """Why a check says nothing: skipped, crashed or not run; empty when it ran."""
        outcome = self.outcomes.get(code)
        if outcome is None:
            return f"{code} did not run"
        return "" if outcome.verdict else f"{code} was {outcome.status}: {outcome.reason}"


def _of(planted: Planted, kind: str) -> list[Truth]:
    return [row for row in planted.rows if row.kind == kind]


def _line(what: str, found: str, seen: Seen, code: str) -> str:
    return f"planted {what}; {seen.unseen(code) or f'{code} {found}'}"


def _depth(seen: Seen) -> tuple[bool, str]:
    errors = [f for f in seen.findings("LK001") if f.severity is Severity.ERROR and "bit_depth" in (f.where.field or f.subject)]
    found = (
        f"tells the class from the bit depth (AUC {errors[0].score:.2f})"
        if errors and errors[0].score
        else "says nothing of the bit depth"
    )
    what = f"16 bits for {DEEP} and 8 bits for {SHALLOW}"
    return bool(errors), _line(what, found, seen, "LK001")


def _patients(planted: Planted, seen: Seen) -> tuple[bool, str]:
    mixed = _of(planted, "patient-across-splits")
    patients = seen.rows("SP001", "patients")
    paths = {seen.path(row["record"]) for row in seen.rows("SP001", "records")}
    hit = sum(row.record in paths for row in mixed)
    more = len(patients) - hit
    found = f"names {hit} of them" + (f" and {more} more" if more else ", and no other")
    return hit == len(mixed), _line(f"{len(mixed)} patients in two splits", found, seen, "SP001")


def _copied(planted: Planted, seen: Seen) -> tuple[bool, str]:
    copies = {frozenset((row.old, row.new)) for row in _of(planted, "exact-copy")}
    across = len(_of(planted, "copy-across-splits"))
    pairs = [(frozenset((seen.path(r["record_a"]), seen.path(r["record_b"]))), r) for r in seen.rows("SP002", "pairs")]
    hit, more = len(copies & {pair for pair, _ in pairs}), len({pair for pair, _ in pairs} - copies)
    apart = len({pair for pair, r in pairs if pair in copies and r.get("split_a") != r.get("split_b")})
    found = f"pairs {hit} of them, {apart} across splits" + (f", and {more} others" if more else ", and no others")
    what = f"{len(copies)} exact copies, {across} of them in another split"
    return hit == len(copies) and apart == across, _line(what, found, seen, "SP002")


def _altered(planted: Planted, seen: Seen) -> tuple[bool, str]:
    copies = {frozenset((row.old, row.new)): row.detail for row in _of(planted, "near-copy")}
    pairs = {frozenset((seen.path(r["record_a"]), seen.path(r["record_b"]))) for r in seen.rows("SP004", "pairs")}
    missed, more = [detail for pair, detail in copies.items() if pair not in pairs], len(pairs - copies.keys())
    found = f"pairs {len(copies) - len(missed)} of them" + (f", and {more} others" if more else ", and no others")
    found += f"; missed: {', '.join(missed)}" if missed else ""
    what = f"{len(copies)} altered copies in another split ({', '.join(copies.values())})"
    return not missed, _line(what, found, seen, "SP004")


def _contradictions(planted: Planted, seen: Seen) -> tuple[bool, str]:
    contradicting = _of(planted, "contradicting-copy")
    paths = {seen.path(row["record"]) for row in seen.rows("SP003", "groups")}
    hit = sum(row.record in paths for row in contradicting)
    what = f"{len(contradicting)} copies that contradict the label of their original"
    return hit == len(contradicting), _line(what, f"names {hit} of them", seen, "SP003")


def _flips(planted: Planted, seen: Seen) -> tuple[bool, str]:
    flips = {row.record for row in _of(planted, "label-flip")}
    wrong = flips | {row.record for row in _of(planted, "contradicting-copy")}
    scored = {seen.path(row["record"]): bool(row["flagged"]) for row in seen.rows("LN002", "label_scores")}
    flagged = {path for path, flag in scored.items() if flag}
    hit, right = len(flagged & flips), len(flagged & wrong)
    share, others = hit / len(flips), len(flagged - wrong) / max(1, len(scored.keys() - wrong))
    found = (
        f"flags {len(flagged)} labels: {hit} of the flips (recall {share:.2f}), and {right} of the {len(flagged)} are wrong "
        f"indeed (precision {right / max(1, len(flagged)):.2f}); of the labels that are right it flags {others:.1%}"
    )
    return share >= 0.5 and share >= 3 * others, _line(f"{len(flips)} flipped labels", found, seen, "LN002")


def _poor_rater(planted: Planted, seen: Seen) -> tuple[bool, str]:
    (poor,) = _of(planted, "poor-rater")
    named = {r.new for r in _of(planted, "rater") if any(r.new in _named(f) for f in seen.findings("ED001"))}
    others = ", ".join(sorted(named - {poor.new}))
    found = f"names {poor.new}" if poor.new in named else f"does not name {poor.new}"
    found += f", and {others} too" if others else ""
    what = f"three readers, of whom {poor.new} is right in only {float(poor.detail):.0%}"
    return poor.new in named and not others, _line(what, found, seen, "ED001")


def _named(finding: Finding) -> Iterable[str]:
    """Everything that a finding about a rater could name the rater in."""
    return (finding.subject, finding.where.field or "", *(str(v) for v in finding.evidence.values()))


def _unreadable(planted: Planted, seen: Seen) -> tuple[bool, str]:
    broken = {row.record: row.detail for row in _of(planted, "unreadable")}
    named = {f.where.path for f in seen.findings("IN001")}
    missed = ", ".join(detail for path, detail in broken.items() if path not in named)
    more = len({path for path in named if path} - broken.keys())
    found = f"names {len(broken.keys() & named)} of them" + (f" and {more} more" if more else ", and no other")
    what = f"{len(broken)} files that cannot be read ({', '.join(broken.values())})"
    return not missed, _line(what, found + (f"; missed: {missed}" if missed else ""), seen, "IN001")
