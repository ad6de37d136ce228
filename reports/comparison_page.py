"""What the page of a comparison shows, as plain values for its template `assets/comparison.html.j2`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from auditor.values.corrections import Arm, Comparison, Correction, Evaluation, Proposal
from auditor.values.results import Severity
from reports.cell import shown, signed
from reports.charts import strip
from reports.compare import alarming
from reports.explanation import sections
from reports.headline import headline
from reports.measured import basis, chosen_arm, class_charts, gain_chart, interval, is_scaled, level, lost
from reports.proposal import removed_table, weights_table
from reports.side_by_side import LOOK, fine_print, pair_charts, strategies_view
from reports.views import OPEN_ROWS, Limits, Pictures, cut, drawings, findings_view, picture_uri, table_view, tables_of
from reports.wording import SELF_GRADED, SEVERITY, VERDICT, counted

_STATES = (
    ("introduced", "Introduced", "There now, and not before, or more severe than before."),
    ("remaining", "Remaining", "There before and after."),
    ("fixed", "Fixed", "There before; its check was carried out again and does not find it."),
    (
        "unclear",
        "Unclear",
        "Only one of the two scans could carry out the check, or look at the file.",
    ),
)


def comparison_page(comparison: Comparison, limits: Limits) -> dict[str, Any]:
    """The values of `assets/comparison.html.j2`."""
    limits = replace(limits, source="comparison.json")
    pictures = Pictures(comparison.thumbnails, limits.pictures)
    chosen = chosen_arm(comparison)
    return {
        "comparison": comparison,
        "top": headline(comparison),
        "left": _left(comparison),
        "fine_print": fine_print(comparison),
        "charts": drawings(pair_charts(comparison, chosen), "pair"),
        "main": chosen and chosen.evaluation and _main(chosen.evaluation),
        "self_graded": SELF_GRADED if chosen and chosen.evaluation and chosen.evaluation.self_graded else "",
        "alarming": len(alarming(comparison.introduced)),
        "tiles": _tiles(comparison),
        "scans": _scans(comparison),
        "serious": comparison.before
        and comparison.after
        and [shown(t.errors + t.warnings) for t in (comparison.before, comparison.after)],
        "facts": [(what, f"{number:,}") for what, number in comparison.changes.items()],
        "corrections": _corrections(comparison, limits, pictures),
        "removed": [table_view(table, limits, pictures) for table in comparison.removed],
        "answers": [table_view(table, limits, pictures) for table in comparison.answers],
        "pairs": [
            (shown(record), picture_uri(comparison.thumbnails[record]), picture_uri(after))
            for record, after in comparison.pictures.items()
            if record in comparison.thumbnails
        ],
        "left_out": _left_out(comparison, limits, pictures),
        "findings": [
            (key, title, remark, findings_view(getattr(comparison, key), limits, pictures, coded=True))
            for key, title, remark in _STATES
        ],
        "advice": _advice(comparison),
        "strategies": strategies_view(comparison),
        "evaluations": [
            _evaluation(arm, number, arm is chosen, limits, pictures)
            for number, arm in sorted(enumerate(comparison.arms), key=lambda item: item[1] is not chosen)
            if arm.evaluation is not None or arm.proposal is not None
        ],
        "shown": shown,
        "counted": counted,
    }


def _main(evaluation: Evaluation) -> dict[str, Any] | None:
    """The one number of the first screen: the main metric before and after, and its difference on an axis."""
    if not evaluation.metrics:
        return None
    main = evaluation.metrics[0]
    chart = gain_chart([("difference", evaluation)], name="main", title=f"{main.title}: difference")
    return {
        "title": main.title,
        "before": level(main.before),
        "after": level(main.after),
        "difference": signed(main.difference),
        "interval": interval(main),
        "basis": basis(evaluation),
        "arm": evaluation.arm,
        "picture": strip(chart, "main"),
        "scaled": is_scaled(evaluation),
        "lost": [f"{m.title} {level(m.before)} → {level(m.after)} ({interval(m)})" for m in lost(evaluation)],
    }


def _left(comparison: Comparison) -> list[dict[str, Any]]:
    """What is left of errors and warnings, check by check, the gravest first and those of most findings."""
    counts: dict[tuple[str, Severity], list[int]] = {}
    for place, findings in enumerate((comparison.remaining, comparison.introduced)):
        for finding in alarming(findings):
            counts.setdefault((finding.code, finding.severity), [0, 0])[place] += 1
    ordered = sorted(counts.items(), key=lambda item: (-item[0][1].rank, -sum(item[1]), item[0][0]))
    return [
        {
            "code": code,
            "severity": severity.value,
            "count": counted(sum(numbers), SEVERITY[severity]),
            "title": shown(comparison.documentation.get(code, "").partition("\n")[0].rstrip(".")),
            "new": numbers[1],
        }
        for (code, severity), numbers in ordered
    ]


def _tiles(comparison: Comparison) -> list[tuple[str, str, int]]:
    """(word, look, number) of findings and corrections."""
    tiles = [
        ("findings fixed", "passed", len(comparison.fixed)),
        ("remaining", "warning", len(comparison.remaining)),
        ("introduced", "error", len(comparison.introduced)),
    ]
    if comparison.unclear:
        tiles.append(("unclear", "skipped", len(comparison.unclear)))
    states = [_state(arm, c.safe, comparison) for arm, c in _proposed(comparison)]
    if states:
        tiles.append(("corrections applied", "note", states.count("applied")))
        tiles.append(("corrections proposed", "note", states.count("proposed")))
    if removed := len(_taken_out(comparison)):
        tiles.append(("records removed", "note", removed))
    return tiles


def _scans(comparison: Comparison) -> list[tuple[str, str, str]]:
    """(what, before, after) of the two scans."""
    before, after = comparison.before, comparison.after
    if before is None or after is None:
        return []
    names = (
        ("errors", "errors"), ("warnings", "warnings"), ("notes", "notes"), ("waived", "waived"),
        ("checks not evaluated", "not_evaluated"), ("records", "records"),
    )  # fmt: skip
    rows = [("gate", VERDICT[before.gate].lower(), VERDICT[after.gate].lower())]
    return rows + [(word, shown(getattr(before, name)), shown(getattr(after, name))) for word, name in names]


def _proposed(comparison: Comparison) -> list[tuple[Arm, Any]]:
    """Every correction of the strategies that count: the applied ones and the chosen one."""
    chosen = chosen_arm(comparison)
    return [
        (arm, correction)
        for arm in comparison.arms
        if arm.proposal and (arm.strategy in comparison.applied or arm is chosen)
        for correction in arm.proposal.corrections
    ]


def _state(arm: Arm, safe: bool, comparison: Comparison) -> str:
    return "applied" if safe and arm.strategy in comparison.applied else "proposed"


def _corrections(comparison: Comparison, limits: Limits, pictures: Pictures) -> dict[str, Any]:
    """Rows of the table of corrections, the applied ones first; those that differ in the record alone are one row."""
    ordered = sorted(_proposed(comparison), key=lambda item: _state(item[0], item[1].safe, comparison) != "applied")
    groups: dict[object, list[tuple[Arm, Correction]]] = {}
    for arm, c in ordered[: limits.rows]:
        change = () if c.field == "path" else (c.old, c.new)  # the names of files written anew tell nothing one by one
        key = (arm.strategy, c.field, change, c.confidence, c.reason, c.code, c.strategy, c.safe)
        groups.setdefault(key, []).append((arm, c))
    pictures.begin_place()
    rows = [_correction(group, comparison, pictures) for group in groups.values()]
    return {
        "first": rows[:OPEN_ROWS],
        "rest": rows[OPEN_ROWS:],
        "total": len(ordered),
        "note": cut(sum(map(len, groups.values())), len(ordered), "corrections", limits.source),
        "sure": any(row["confidence"] for row in rows),
    }


def _correction(group: list[tuple[Arm, Correction]], comparison: Comparison, pictures: Pictures) -> dict[str, Any]:
    """One row: a correction, or several that are the same but for the record."""
    arm, c = group[0]
    more = [(shown(one.record), shown(one.old), shown(one.new)) for _, one in group[1:]]
    return {
        "record": shown(c.record),
        "more": more,
        "picture": pictures.take(c.record),
        "field": shown(c.field),
        "old": shown(c.old),
        "new": shown(c.new),
        "confidence": "" if c.confidence is None else shown(c.confidence, "fraction"),
        "reason": shown(c.reason),
        "code": shown(c.code),
        "strategy": shown(c.strategy),
        "state": _state(arm, c.safe, comparison),
    }


def _left_out(comparison: Comparison, limits: Limits, pictures: Pictures) -> dict[str, Any] | None:
    """The records that were taken out, with the reason."""
    removed = _taken_out(comparison)
    return table_view(removed_table(removed), limits, pictures) if removed else None


def _taken_out(comparison: Comparison) -> dict[str, str]:
    return {
        record: reason
        for arm in comparison.arms
        if arm.proposal and arm.strategy in comparison.applied
        for record, reason in arm.proposal.removed.items()
    }


def _advice(comparison: Comparison) -> list[tuple[str, str, Any]]:
    """(code, title, how to fix) of what is there after."""
    found = []
    for code in sorted({f.code for f in (*comparison.introduced, *comparison.remaining)}):
        text = comparison.documentation.get(code, "")
        if advice := sections(text).get("How to fix"):
            found.append((code, shown(text.splitlines()[0]), advice))
    return found


def _evaluation(arm: Arm, number: int, chosen: bool, limits: Limits, pictures: Pictures) -> dict[str, Any]:
    """One strategy in full: its figures, charts and tables, those of the proposal and those of the evaluation."""
    evaluation = arm.evaluation
    view: dict[str, Any] = {
        "arm": arm,
        "chosen": chosen,
        "id": f"arm-{number}",
        "proposal": arm.proposal and _proposal(arm.proposal, number, limits, pictures),
        "evaluation": evaluation,
    }
    if evaluation is None:
        return view
    return view | {
        "basis": basis(evaluation),
        "metrics": [
            {
                "title": m.title,
                "before": level(m.before),
                "after": level(m.after),
                "difference": signed(m.difference),
                "interval": interval(m),
                "p": shown(m.p, "fraction"),
                "verdict": m.verdict,
                "look": LOOK[m.verdict],
            }
            for m in evaluation.metrics
        ],
        "charts": drawings((*evaluation.charts, *class_charts(evaluation)), f"arm-{number}"),
        "tables": [table_view(table, limits, pictures) for table in evaluation.tables],
        "drawn": [table_view(table, limits, pictures) for table in tables_of((), evaluation.charts)],
    }


def _proposal(proposal: Proposal, number: int, limits: Limits, pictures: Pictures) -> dict[str, Any]:
    counts = (
        (len(proposal.corrections), "correction"),
        (len(proposal.weights), "weight"),
        (len(proposal.removed), "removal"),
        (len(proposal.files), "file"),
    )
    tables = tables_of(proposal.tables, proposal.charts)
    if proposal.weights:
        tables.append(weights_table(proposal.weights))
    return {
        "summary": proposal.summary,
        "counts": ", ".join(counted(count, noun) for count, noun in counts if count) or "nothing to change",
        "notes": proposal.notes,
        "charts": drawings(proposal.charts, f"arm-{number}-proposal"),
        "tables": [table_view(table, limits, pictures) for table in tables],
        "metrics": [(name.replace("_", " "), shown(value)) for name, value in proposal.metrics.items()],
    }
