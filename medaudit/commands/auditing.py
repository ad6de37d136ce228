"""Commands that look: scan, diff, compare, review, and what explains them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from medaudit import __version__
from medaudit import options as given
from medaudit.terminal import default_output, progress_on_terminal, scan_with_progress, show, show_comparison


def scan(
    dataset: given.Dataset,
    output: Annotated[
        list[str] | None,
        typer.Option("-o", "--output", help="report.html, result.json, findings.csv or FORMAT:PATH; may be repeated."),
    ] = None,
    label: given.Label = None,
    patient: given.Patient = None,
    split: given.Split = None,
    site: given.Site = None,
    path: given.ImagePath = None,
    lesion: given.Lesion = None,
    study: given.Study = None,
    series: given.Series = None,
    time: given.Time = None,
    fold: given.Fold = None,
    rater: given.Rater = None,
    mask: given.Mask = None,
    images: given.Root = None,
    config: given.ConfigFile = None,
    workers: given.Workers = None,
    cache: given.UseCache = True,
    select: Annotated[
        list[str] | None, typer.Option(help="Only these checks (code or prefix: LK, SP001).", rich_help_panel=given.GATE)
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Not these checks.", rich_help_panel=given.GATE)] = None,
    require: Annotated[
        list[str] | None, typer.Option(help="Exit 3 when one of these could not be evaluated.", rich_help_panel=given.GATE)
    ] = None,
    fail_on: Annotated[
        str | None, typer.Option(help="error (default), warning, info or never.", rich_help_panel=given.GATE)
    ] = None,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit 0 also when there are findings.", rich_help_panel=given.GATE)
    ] = False,
    predictions: given.Predictions = None,
    classes: given.Classes = None,
    in_sample: Annotated[
        bool, typer.Option("--in-sample", help="The predictions are not out of fold.", rich_help_panel=given.PREDICTING)
    ] = False,
    predict: Annotated[
        str | None,
        typer.Option(
            help="cnn: train a network per fold, to judge beside the built-in probe.", rich_help_panel=given.PREDICTING
        ),
    ] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(
            help="Weights of an encoder, .safetensors or .pt2: the probe reads what it sees.", rich_help_panel=given.PREDICTING
        ),
    ] = None,
    network: Annotated[
        str | None, typer.Option(help="The network that --encoder belongs to.", rich_help_panel=given.PREDICTING)
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto (default), cpu, cuda, cuda:N or mps.", rich_help_panel=given.PREDICTING)
    ] = None,
    reviewed: given.Reviewed = None,
    known: Annotated[
        list[Path] | None,
        typer.Option(
            help="hashes.parquet of another collection (`medaudit fingerprint`); may be repeated.", rich_help_panel=given.KNOWN
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The key file that --known was made with.", rich_help_panel=given.KNOWN)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of folds and permutations (default 0).")] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the verdict only.")] = False,
) -> None:
    """Audit a dataset: verdict, exit code, report.html and result.json.

    Exit codes: 0 passed; 1 findings at or above --fail-on; 2 usage, configuration or a dataset that cannot be opened;
    3 the audit is incomplete.
    """
    roles = given.roles_of(
        label=label, patient=patient, split=split, site=site, path=path, lesion=lesion, study=study, series=series, time=time,
        fold=fold, rater=rater, mask=mask,
    )  # fmt: skip
    from auditor.scan import plan_for
    from auditor.scan import scan as audit
    from reports.format import parse_output, write_outputs

    outputs = (
        [parse_output(text) for text in output]
        if output
        else [("html", default_output("report.html")), ("json", default_output("result.json"))]
    )
    plan = plan_for(
        dataset,
        config=config,
        roles=roles,
        root=images,
        select=given.words_of(select),
        ignore=given.words_of(ignore),
        require=given.words_of(require),
        fail_on=fail_on,
        predictions=predictions or (),
        classes=classes.split(",") if classes else None,
        in_sample=in_sample,
        reviewed=reviewed or (),
        known=known or (),
        key=key,
        workers=workers,
        cache=cache,
        seed=seed,
        tool_version=__version__,
    )
    progress, predictor = progress_on_terminal(quiet=quiet), None
    if predict or encoder or network or device:
        from medaudit.predicting import predictor_of

        predictor = predictor_of(
            plan, kind=predict, encoder=encoder, network=network, device=device, progress=progress, given=bool(predictions)
        )
    result = audit(dataset, plan, progress=progress, predictor=predictor)
    written = write_outputs(result, outputs)
    show(result, [path for path in written if path in {path for _, path in outputs}], quiet=quiet)
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


def diff(
    old: Annotated[Path, typer.Argument(help="The earlier release: a folder, a label table or an npz.")],
    new: Annotated[Path, typer.Argument(help="The later release.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file instead of the terminal.")] = None,
    form: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    workers: Annotated[int | None, typer.Option(min=0, help="Processes that read files (default: one per core).")] = None,
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Use and keep what was measured.")] = True,
) -> None:
    """Tell what changed between two releases: added, removed, renamed, changed, relabelled, moved between splits.

    Exit codes as of diff: 0 nothing changed; 1 something did; 2 trouble.
    """
    import json

    from auditor.diff import as_json, as_text, compare, read_release
    from auditor.files import write_files
    from auditor.reading.cache import default_folder
    from auditor.stages.extract import Pass
    from auditor.values.errors import ConfigError

    if form not in ("text", "json"):
        raise ConfigError(f"--format {form}: text or json")
    how = Pass(
        workers=workers if workers is not None else max(1, os.cpu_count() or 1),
        cache=default_folder(os.environ, Path.home()) if cache else None,
    )
    difference = compare(read_release(old, how), read_release(new, how))
    text = json.dumps(as_json(difference), indent=1) if form == "json" else "\n".join(as_text(difference))
    if output is None:
        typer.echo(text)
    else:
        write_files({output: (text + "\n").encode()})
        typer.echo(f"{output} written")
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
    from medaudit.comparing import compare_files, introduces

    raise typer.Exit(1 if introduces(compare_files(before, after, output or ())) else 0)


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
) -> None:
    """Write a page on which an expert judges doubtful labels and random controls, blind, with keys."""
    from auditor.files import write_files
    from medaudit.reviewing import review_files
    from reports.load import load_result

    goals = output or [Path("review.html"), Path("queue.csv")]
    write_files(
        review_files(load_result(result), goals, reviewed=reviewed or (), suspects=suspects, controls=controls, seed=seed)
    )
    typer.echo(f"{', '.join(map(str, goals))} written; give the saved answers to `medaudit scan --reviewed`")


def init(
    dataset: Annotated[Path, typer.Argument(help="The dataset to describe.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to write it (default: into the dataset's folder).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a commented medaudit.toml with the roles found."""
    from auditor.files import write_files
    from auditor.layout import CONFIG_NAME, Options, open_dataset
    from auditor.values.errors import ConfigError
    from medaudit.template import config_text

    goal = output or (dataset if dataset.is_dir() else dataset.parent) / CONFIG_NAME
    opened = open_dataset(dataset, Options())
    if goal.exists() and not force:
        raise ConfigError(f"{goal}: exists already; --force replaces it")
    write_files({goal: config_text(opened.summary).encode()})
    typer.echo(f"{goal} written: {len(opened.summary.guesses)} roles found, layout {opened.summary.layout}")


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to make the demo; must not exist or be a former demo.")] = Path(
        "medaudit-demo"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the dataset.")] = 0,
) -> None:
    """Make a flawed dataset, audit it, say what was planted and what was found, correct it, and compare before and after."""
    from auditor.scan import plan_for
    from medaudit.demo import make_demo, order_of_demo, tell
    from medaudit.fixing import fixed_copy
    from reports.format import write_outputs

    planted = make_demo(folder, seed=seed)
    typer.echo(f"A flawed dataset lies in {planted.dataset}; what is wrong with it, in {planted.truth}.")
    plan = plan_for(planted.dataset, tool_version=__version__)
    result = scan_with_progress(planted.dataset, plan, quiet=False)
    written = write_outputs(result, [("html", folder / "report.html"), ("json", folder / "result.json")])
    show(result, written[:2], quiet=False)
    lines, found = tell(planted, result)
    order = order_of_demo(seed)
    command = f"medaudit fix {planted.dataset} --strategy {','.join(order.strategies)}"
    typer.echo("\n".join(["", *lines, "", f"Now the corrections: {command} ..."]))
    copy = folder / "fixed"
    _, comparison = fixed_copy(planted.dataset, order, plan, copy, progress=progress_on_terminal(quiet=False))
    if comparison is not None:
        show_comparison(comparison, [copy / "report.html", copy], quiet=False)
    raise typer.Exit(0 if found else 1)
