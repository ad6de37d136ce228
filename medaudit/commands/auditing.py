"""Commands that look: scan, diff, compare, report, review, and what explains them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from medaudit import options as given
from medaudit.terminal import (
    apart,
    checked_outputs,
    default_output,
    named,
    printed,
    progress_on_terminal,
    show,
    show_comparison,
    tell_crosswalk,
)

TO_CONFIRM = 6
"""So many lines of what is to be confirmed are printed; all of them stand in the file."""


@given.sharing(
    given.ROLES, given.READING, given.RECOGNISING, given.SELECTING, given.PREDICTIONS, given.REVIEWED, given.COLLECTIONS,
    {"seed": given.option(int, "Seed of folds and permutations (default 0).")},
)  # fmt: skip
def scan(
    dataset: given.Dataset,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "-o", "--output", help="report.html, result.json, audit.sarif or FORMAT:PATH (- prints it); may be repeated."
        ),
    ] = None,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit 0 also when there are findings.", rich_help_panel=given.GATE)
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the verdict only.")] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Print every check, also those that passed or were not run.")
    ] = False,
    **plan: Any,
) -> None:
    """Audit a dataset: verdict, exit code, report.html and result.json.

    Exit codes: 0 passed, or not enough seen; 1 findings at or above --fail-on; 2 usage, configuration or a dataset that
    cannot be opened; 3 the audit is incomplete, or too much was not seen.
    """
    from medaudit.process import keep_memory

    keep_memory()
    import medaudit
    from reports.format import parse_output

    asked = output or [str(default_output("report.html")), str(default_output("result.json"))]
    outputs = checked_outputs(asked, dataset)
    private = apart(plan.get("crosswalk"), files=[parse_output(text)[1] for text in outputs])
    result = medaudit.scan(dataset, progress=progress_on_terminal(quiet=quiet), **given.told(plan))
    written = named(medaudit.report(result, *outputs), outputs)
    show(result, written, quiet=quiet, verbose=verbose, aside=printed(outputs))
    tell_crosswalk(private, quiet=quiet)
    if result.run.unchanged_since and not quiet:
        typer.echo(f"unchanged since {result.run.unchanged_since}: this is that scan's result; --rehash looks anew", err=True)
    raise typer.Exit(0 if exit_zero and result.gate.exit_code == 1 else result.gate.exit_code)


def rules() -> None:
    """List the checks: code, name, severity and what each looks for."""
    from auditor.check import check_classes, title

    for check in check_classes():
        mark = " (preview)" if check.preview else ""
        typer.echo(f"{check.code}  {check.severity.value:<8} {check.name:<24} {title(check)}{mark}")


def explain(code: Annotated[str, typer.Argument(help="Code of a check (LK001) or name of a strategy (teacher).")]) -> None:
    """Explain a check or a strategy: what it does, why or when, its options."""
    import inspect

    from auditor.check import check_classes

    check = next((c for c in check_classes() if c.code == code.upper()), None)
    if check is None:
        from medaudit.fixing import explained

        typer.echo(explained(code))
        return
    typer.echo(f"{check.code} {check.name} ({check.severity.value})\n\n{inspect.getdoc(check)}")


@given.sharing(given.MEASURING, given.RETRACING)
def diff(
    old: Annotated[Path, typer.Argument(help="The earlier release: a folder, a label table or an npz.")],
    new: Annotated[Path, typer.Argument(help="The later release.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file instead of the terminal.")] = None,
    form: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    **plan: Any,
) -> None:
    """Tell what changed between two releases: added, removed, renamed, changed, relabelled, moved between splits.

    Exit codes as of diff: 0 nothing changed; 1 something did; 2 trouble.
    """
    import json

    from auditor.diff import as_json, as_text, compare, read_release
    from auditor.evidence.privacy.crosswalk import write_crosswalk
    from auditor.files import spare, write_files
    from auditor.plan import Plan
    from auditor.private import default_folder
    from auditor.values.errors import ConfigError
    from auditor.written import keep_foreign, remember

    if form not in ("text", "json"):
        raise ConfigError(f"--format {form}: text or json")
    workers, cache = plan["workers"], plan["cache"]
    how = Plan(
        workers=workers,
        cache=None if cache is False else default_folder(os.environ, Path.home()),
    )
    around = [path if path.is_dir() else path.parent for path in (old, new)]
    private = apart(plan.get("crosswalk"), files=[output] if output else [], folders=around)
    for folder in around:
        spare([output] if output else [], folder)
    keep_foreign([output] if output else [])
    releases = {"old": read_release(old, how), "new": read_release(new, how)}
    difference = compare(releases["old"], releases["new"])
    text = json.dumps(as_json(difference), indent=1) if form == "json" else "\n".join(as_text(difference))
    if output is None:
        typer.echo(text)
    else:
        write_files({output: (text + "\n").encode()})
        remember([output])
        typer.echo(f"{output} written")
    if private is not None:
        write_crosswalk(private, releases)
    tell_crosswalk(private)
    raise typer.Exit(1 if difference.changes else 0)


def compare(
    before: Annotated[Path, typer.Argument(help="The result.json of the earlier scan.")],
    after: Annotated[Path, typer.Argument(help="The result.json of the later scan.")],
    output: Annotated[
        list[str] | None, typer.Option("-o", "--output", help="comparison.html, comparison.json; may be repeated.")
    ] = None,
) -> None:
    """Compare two scans: findings fixed, remaining and introduced.

    Exit codes: 0 nothing was introduced; 1 an unwaived finding above info was; 2 a result cannot be read.
    """
    import medaudit
    from medaudit.comparing import introduces

    outputs = checked_outputs(output or [])
    comparison = medaudit.compare(before, after)
    written = medaudit.report(comparison, *outputs) if outputs else []
    show_comparison(comparison, named(written, outputs), quiet=False, aside=printed(outputs))
    raise typer.Exit(1 if introduces(comparison) else 0)


def report(
    result: Annotated[Path, typer.Argument(help="A result.json or comparison.json.")],
    output: Annotated[
        list[str] | None,
        typer.Option("-o", "--output", help="report.html or FORMAT:PATH (- prints it); may be repeated."),
    ] = None,
) -> None:
    """Draw a result again, in any format, without its dataset.

    Exit codes: 0 written; 2 the result cannot be read, or no format fits.
    """
    import medaudit

    for path in medaudit.report(result, *(output or [str(default_output("report.html"))])):
        typer.echo(f"{path} written", err=printed(output or []))


def review(
    result: Annotated[Path, typer.Argument(help="The result.json of a scan that ranked the labels.")],
    output: Annotated[
        list[Path] | None, typer.Option("-o", "--output", help="review.html, queue.csv; may be repeated (default: both).")
    ] = None,
    reviewed: Annotated[
        list[Path] | None, typer.Option(help="Earlier answers: their records are not asked about again; may be repeated.")
    ] = None,
    suspects: Annotated[int | None, typer.Option(min=0, help="So many flagged records at most (default 40).")] = None,
    controls: Annotated[
        int | None, typer.Option(min=0, help="So many of the others at most (default 59; 299 bound what is left at 1 %).")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the draw (default: that of the scan).")] = None,
    images: Annotated[
        Path | None, typer.Option(help="The dataset: shows its images large instead of the thumbnails of the result.")
    ] = None,
) -> None:
    """Write a page on which an expert judges doubtful labels and random controls, blind, with keys."""
    from auditor.files import spare_foreign, write_files
    from medaudit.reviewing import review_files
    from reports.load import load_result

    goals = output or [Path("review.html"), Path("queue.csv")]
    spare_foreign(goals)
    write_files(
        review_files(
            load_result(result), goals, reviewed=reviewed or (), suspects=suspects, controls=controls, seed=seed, images=images
        )
    )
    typer.echo(f"{', '.join(map(str, goals))} written; give the saved answers to `medaudit scan --reviewed`")


def init(
    dataset: Annotated[Path, typer.Argument(help="The dataset to describe.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to write it (default: into the dataset's folder).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a commented medaudit.toml: what each folder level and column was taken for; at a terminal, doubts are asked."""
    from auditor.files import write_files
    from auditor.layout import CONFIG_NAME, Options, open_dataset
    from auditor.values.errors import ConfigError
    from medaudit.interview import interview
    from medaudit.template import config_text

    goal = output or (dataset if dataset.is_dir() else dataset.parent) / CONFIG_NAME
    opened = open_dataset(dataset, Options())
    if goal.exists() and not force:
        raise ConfigError(f"{goal}: exists already; --force replaces it")
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    said = interview(opened, (lambda text, proposed: str(typer.prompt(text, default=proposed))) if at_terminal else None)
    write_files({goal: config_text(opened.summary, said).encode()})
    count = len(opened.summary.guesses)
    counted = f"{count} role{'s' * (count != 1)}"
    typer.echo(f"{goal} written: {counted} found, layout {opened.summary.layout}")
    for line in said.unsure[:TO_CONFIRM]:
        typer.echo(f"  to confirm: {line}")
    if len(said.unsure) > TO_CONFIRM:
        typer.echo(f"  and {len(said.unsure) - TO_CONFIRM} more, in the file")


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to make the demo; must not exist or be a former demo.")] = Path(
        "medaudit-demo"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the dataset.")] = 0,
) -> None:
    """Make a flawed dataset, audit it, say what was planted and what was found, correct it, and compare before and after."""
    import medaudit
    from medaudit.demo import BUDGET, ORDER, make_demo, tell

    planted = make_demo(folder, seed=seed)
    typer.echo(f"A flawed dataset lies in {planted.dataset}; what is wrong with it, in {planted.truth}.")
    result = medaudit.scan(planted.dataset, progress=progress_on_terminal(quiet=False))
    written = medaudit.report(result, folder / "report.html", folder / "result.json")
    show(result, written[:2])
    lines, found = tell(planted, result)
    command = f"medaudit fix {planted.dataset} --strategy {','.join(ORDER)} --seeds 1 --budget {BUDGET:.0f}s"
    typer.echo("\n".join(["", *lines, "", f"Now the corrections: {command} ..."]))
    copy = folder / "fixed"
    progress = progress_on_terminal(quiet=False)
    fixed = medaudit.fix(
        planted.dataset, copy, progress=progress, strategy=ORDER, seed=seed, seeds=1, budget=BUDGET, device="cpu"
    )
    if fixed.comparison is not None:
        show_comparison(fixed.comparison, [copy / "report.html", copy], quiet=False)
    raise typer.Exit(0 if found else 1)
