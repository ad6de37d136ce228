"""Commands that correct: fix, undo, predict, and the strategies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medaudit import options as given
from medaudit.terminal import OUTPUT_FOLDER, apart, progress_on_terminal, show_comparison, tell_crosswalk

if TYPE_CHECKING:
    from auditor.values.corrections import Comparison


@given.sharing(given.TRUSTING, given.TRAINING, given.ROLES, given.READING, given.RECOGNISING, given.REVIEWED)
def fix(
    dataset: given.Target = Path(),
    strategy: Annotated[
        list[str] | None, typer.Option(help="auto (default) or names, comma-separated: `medaudit strategies` lists them.")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the corrected copy.")] = Path(
        OUTPUT_FOLDER, "fixed"
    ),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when something would be corrected.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Apply also what is not safe, or not shown to do no harm.")] = False,
    seed: Annotated[int, typer.Option(help="First seed.")] = 0,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the verdict only.")] = False,
    **plan: Any,
) -> None:
    """Correct a dataset: a corrected copy, a trained network, and a report that compares before and after.

    The dataset itself is only read. Exit codes: 0 a copy was written, or there is nothing to correct; 1 with --check and
    corrections pending, when the evaluation says harmed and nothing was applied, or when deidentify left something behind that
    it could not clean; 2 usage, configuration, a dataset that cannot be opened, or none of whose files deidentify can clean.
    """
    import medaudit

    options = given.told({**plan, "strategy": strategy, "check": check, "force": force, "seed": seed})
    private = apart(plan.get("crosswalk"), folders=[output, output.with_name(f"{output.name}-report")])
    done = medaudit.fix(dataset, output, progress=progress_on_terminal(quiet=quiet), **options)
    if done.comparison is None or done.reports is None:
        typer.echo("\n".join(done.lines))
        tell_crosswalk(private)
        raise typer.Exit(1 if done.pending else 0)
    show_comparison(done.comparison, [done.reports / "report.html", output], quiet=quiet)
    tell_crosswalk(private, quiet=quiet)
    raise typer.Exit(1 if done.harmed or uncleaned(done.comparison) else 0)


def uncleaned(comparison: Comparison) -> bool:
    """Deidentify could not do all that was asked: files and records stay behind, or the copy still tells of a person."""
    done = [arm for arm in comparison.arms if arm.strategy == "deidentify" and arm.proposal is not None]
    if not done:
        return False
    left = ("files_left_out", "records_left_out", "files_not_looked_at")
    there = (*comparison.remaining, *comparison.introduced)
    told = [f for f in there if f.code.startswith("PH") and f.severity.rank > 0 and f.waived is None]
    return bool(told) or any(arm.proposal.metrics.get(name) for arm in done if arm.proposal for name in left)


def undo(
    copy: Annotated[Path, typer.Argument(help="The corrected copy that `medaudit fix` wrote.")] = Path(OUTPUT_FOLDER, "fixed"),
    again: Annotated[
        bool,
        typer.Option("--again", help="The other way: apply what stands as `applied` = yes in corrections.csv and removed.csv."),
    ] = False,
) -> None:
    """Take the corrections of a copy back, or apply those that were accepted by hand in its corrections.csv."""
    from medaudit.fixing import undone

    typer.echo(undone(copy, again=again))


def strategies() -> None:
    """List the strategies of `medaudit fix`."""
    from medaudit.fixing import strategy_lines

    typer.echo("\n".join(strategy_lines()))


@given.sharing(given.ROLES, given.READING, {word: given.TRAINING[word] for word in ("device", "trust_program")})
def foretell(
    model: Annotated[Path, typer.Argument(help="The corrected copy that `medaudit fix` wrote, or its folder model.")],
    dataset: given.Dataset,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="predictions.csv, .parquet or .npy; of a network that draws masks a folder.")
    ] = Path("predictions.csv"),
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing.")] = False,
    **plan: Any,
) -> None:
    """Predict a dataset with the network that `medaudit fix` trained, in the form that `scan --predictions` reads.

    Exit codes: 0 written; 2 no network, a dataset it does not fit or that cannot be opened; then nothing is written.
    """
    from auditor.files import spare
    from auditor.written import keep_foreign, remember
    from medaudit.keywords import ScanOptions, read_keywords
    from medaudit.predicting import predicted
    from medaudit.scanning import plan_of

    options = read_keywords(given.told(plan), ScanOptions, "predict")
    private = apart(plan.get("crosswalk"), files=[output], folders=[output])
    spare([output], dataset, usual="predictions.csv")
    keep_foreign([output], usual="predictions.csv")
    device, trusted = options.pop("device", None), options.pop("trust_program", False)
    told = progress_on_terminal(quiet=quiet)
    lines = predicted(model, plan_of(dataset, options), output, device, told, trust_program=trusted)
    remember([output])
    if not quiet:
        typer.echo("\n".join(lines))
    tell_crosswalk(private, quiet=quiet)
