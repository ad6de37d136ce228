"""Commands that correct: fix, undo, predict, and the strategies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medaudit import __version__
from medaudit import options as given
from medaudit.terminal import OUTPUT_FOLDER, progress_on_terminal, show_comparison


def fix(
    dataset: given.Target = Path(),
    strategy: Annotated[
        list[str] | None, typer.Option(help="auto (default) or names, comma-separated: `medaudit strategies` lists them.")
    ] = None,
    trusted: Annotated[
        str | None, typer.Option(help="Records whose labels are right: a column of yes/no, or a file of record ids or paths.")
    ] = None,
    evaluate: Annotated[
        str | None, typer.Option(help="Records that judge the outcome and that nothing touches: a column or a file, as above.")
    ] = None,
    unlabelled: Annotated[Path | None, typer.Option(help="A folder of pictures without labels, for teacher.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the corrected copy.")] = Path(
        OUTPUT_FOLDER, "fixed"
    ),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when something would be corrected.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Apply also what is not safe, or not shown to do no harm.")] = False,
    seed: Annotated[int, typer.Option(help="First seed.")] = 0,
    seeds: Annotated[int | None, typer.Option(min=1, help="Networks per strategy (3).", rich_help_panel=given.TRAINING)] = None,
    device: Annotated[
        str | None, typer.Option(help="auto (default), cpu, cuda, cuda:N or mps.", rich_help_panel=given.TRAINING)
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Time for all training together, such as 30m.", rich_help_panel=given.TRAINING)
    ] = None,
    margin: Annotated[
        float | None, typer.Option(min=0, max=1, help="A smaller loss counts as none (0.01).", rich_help_panel=given.TRAINING)
    ] = None,
    from_run: Annotated[
        Path | None,
        typer.Option(
            help="transfer: the copy of another dataset's fix; its network is the start.", rich_help_panel=given.TRAINING
        ),
    ] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(help="transfer: weights of an encoder, .safetensors or .pt2.", rich_help_panel=given.TRAINING),
    ] = None,
    network: Annotated[
        str | None, typer.Option(help="transfer: the network that --encoder belongs to.", rich_help_panel=given.TRAINING)
    ] = None,
    teacher_data: Annotated[
        Path | None,
        typer.Option(
            help="teacher, transfer: hashes.parquet of what the start network has seen, to be looked for in the evaluation.",
            rich_help_panel=given.TRAINING,
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="Key file of --teacher-data, and salt of deidentify.", rich_help_panel=given.TRAINING),
    ] = None,
    label: given.Label = None,
    patient: given.Patient = None,
    split: given.Split = None,
    site: given.Site = None,
    path: given.ImagePath = None,
    lesion: given.Lesion = None,
    study: given.Study = None,
    series: given.Series = None,
    rater: given.Rater = None,
    mask: given.Mask = None,
    images: given.Root = None,
    config: given.ConfigFile = None,
    workers: given.Workers = None,
    cache: given.UseCache = True,
    reviewed: given.Reviewed = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the verdict only.")] = False,
) -> None:
    """Correct a dataset: a corrected copy, a trained network, and a report that compares before and after.

    The dataset itself is only read. Exit codes: 0 a copy was written, or there is nothing to correct; 1 with --check and
    corrections pending, or when the evaluation says harmed and nothing was applied; 2 usage, configuration or a dataset that
    cannot be opened.
    """
    from auditor.config import find_config
    from auditor.scan import plan_for
    from medaudit.fixing import fixed_copy, order_for, pending_lines

    options = {"from-run": from_run, "encoder": encoder, "network": network, "teacher-data": teacher_data, "key": key}
    roles = given.roles_of(
        label=label, patient=patient, split=split, site=site, path=path, lesion=lesion, study=study, series=series, rater=rater,
        mask=mask,
    )  # fmt: skip
    plan = plan_for(
        dataset, config=config, roles=roles, root=images, reviewed=reviewed or (), workers=workers, cache=cache,
        tool_version=__version__,
    )  # fmt: skip
    order = order_for(
        plan.config, find_config(dataset) if config is None else config, strategies=given.words_of(strategy), trusted=trusted,
        evaluate=evaluate, unlabelled=unlabelled, seeds=seeds, seed=seed, device=device, budget=given.seconds_of(budget),
        margin=margin, force=force, check=check,
        options={name: str(value) for name, value in options.items() if value is not None},
    )  # fmt: skip
    fixed, comparison = fixed_copy(dataset, order, plan, output, progress=progress_on_terminal(quiet=quiet))
    if comparison is None:
        typer.echo("\n".join(pending_lines(fixed)))
        raise typer.Exit(1 if fixed.corrected.pending else 0)
    reports = output if fixed.applied is None else fixed.applied.reports
    show_comparison(comparison, [reports / "report.html", output], quiet=quiet)
    raise typer.Exit(1 if fixed.harmed else 0)


def undo(
    copy: Annotated[Path, typer.Argument(help="The corrected copy that `medaudit fix` wrote.")] = Path(OUTPUT_FOLDER, "fixed"),
    again: Annotated[
        bool,
        typer.Option("--again", help="The other way: apply what stands as `applied` = yes in corrections.csv and removed.csv."),
    ] = False,
) -> None:
    """Take the corrections of a copy back, or apply those that were accepted by hand in its corrections.csv."""
    from trainers.copying.undo import reapply
    from trainers.copying.undo import undo as take_back

    typer.echo((reapply if again else take_back)(copy).told)


def strategies() -> None:
    """List the strategies of `medaudit fix`."""
    from medaudit.fixing import strategy_lines

    typer.echo("\n".join(strategy_lines()))


def foretell(
    model: Annotated[Path, typer.Argument(help="The corrected copy that `medaudit fix` wrote, or its folder model.")],
    dataset: given.Dataset,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="predictions.csv, .parquet or .npy; of a network that draws masks a folder.")
    ] = Path("predictions.csv"),
    label: given.Label = None,
    patient: given.Patient = None,
    split: given.Split = None,
    site: given.Site = None,
    path: given.ImagePath = None,
    lesion: given.Lesion = None,
    study: given.Study = None,
    series: given.Series = None,
    rater: given.Rater = None,
    mask: given.Mask = None,
    images: given.Root = None,
    config: given.ConfigFile = None,
    workers: given.Workers = None,
    cache: given.UseCache = True,
    device: Annotated[
        str | None, typer.Option(help="auto (default), cpu, cuda, cuda:N or mps.", rich_help_panel=given.TRAINING)
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing.")] = False,
) -> None:
    """Predict a dataset with the network that `medaudit fix` trained, in the form that `scan --predictions` reads.

    Exit codes: 0 written; 2 no network, a dataset it does not fit or that cannot be opened; then nothing is written.
    """
    roles = given.roles_of(
        label=label, patient=patient, split=split, site=site, path=path, lesion=lesion, study=study, series=series, rater=rater,
        mask=mask,
    )  # fmt: skip
    from auditor.scan import plan_for
    from medaudit.predicting import predicted

    plan = plan_for(
        dataset, config=config, roles=roles, root=images, workers=workers, cache=cache, tool_version=__version__
    )  # fmt: skip
    lines = predicted(model, dataset, plan, output, device, progress_on_terminal(quiet=quiet))
    if not quiet:
        typer.echo("\n".join(lines))
