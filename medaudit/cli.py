"""The command line: parses, calls, chooses the exit code. No logic, and nothing heavy is imported before it is needed."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medaudit import __version__
from medaudit import options as given

if TYPE_CHECKING:
    from auditor.progress import Progress
    from auditor.types import Comparison, ScanResult

# Newer releases of Typer carry a Click of their own, so the base of all usage errors is asked of Typer, not of click.
UsageMistake: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
EXIT_USAGE, EXIT_BROKEN, EXIT_INTERRUPTED = 2, 3, 130
OUTPUT_FOLDER = "medaudit-out"
INTERRUPTED = "interrupted; nothing was written"

app = typer.Typer(
    name="medaudit",
    help="Audit medical-imaging datasets before they are released or trained on.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(f"medaudit {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Audit medical-imaging datasets before they are released or trained on."""


@app.command()
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


@app.command()
def rules() -> None:
    """List the checks: code, name, severity and what each looks for."""
    from auditor.check import check_classes, title

    for check in check_classes():
        mark = " (preview)" if check.preview else ""
        typer.echo(f"{check.code}  {check.severity.value:<8} {check.name:<24} {title(check)}{mark}")


@app.command()
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


@app.command()
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

    from auditor.cache import default_folder
    from auditor.diff import as_json, as_text, compare, read_release
    from auditor.errors import ConfigError
    from auditor.extract import Pass
    from auditor.files import write_files

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


@app.command()
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


@app.command()
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


@app.command("predict")
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


@app.command()
def undo(
    copy: Annotated[Path, typer.Argument(help="The corrected copy that `medaudit fix` wrote.")] = Path(OUTPUT_FOLDER, "fixed"),
    again: Annotated[
        bool,
        typer.Option("--again", help="The other way: apply what stands as `applied` = yes in corrections.csv and removed.csv."),
    ] = False,
) -> None:
    """Take the corrections of a copy back, or apply those that were accepted by hand in its corrections.csv."""
    from trainers.undo import reapply
    from trainers.undo import undo as take_back

    typer.echo((reapply if again else take_back)(copy).told)


@app.command()
def strategies() -> None:
    """List the strategies of `medaudit fix`."""
    from medaudit.fixing import strategy_lines

    typer.echo("\n".join(strategy_lines()))


@app.command()
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


@app.command()
def init(
    dataset: Annotated[Path, typer.Argument(help="The dataset to describe.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to write it (default: into the dataset's folder).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a commented medaudit.toml with the roles found."""
    from auditor.errors import ConfigError
    from auditor.files import write_files
    from auditor.layout import CONFIG_NAME, Options, open_dataset
    from medaudit.template import config_text

    goal = output or (dataset if dataset.is_dir() else dataset.parent) / CONFIG_NAME
    opened = open_dataset(dataset, Options())
    if goal.exists() and not force:
        raise ConfigError(f"{goal}: exists already; --force replaces it")
    write_files({goal: config_text(opened.summary).encode()})
    typer.echo(f"{goal} written: {len(opened.summary.guesses)} roles found, layout {opened.summary.layout}")


@app.command("consensus")
def decide(
    table: Annotated[Path, typer.Argument(help="A table of readings, or a folder of masks per rater.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="consensus.csv, .tsv, .parquet or .jsonl.")] = Path(
        "consensus.csv"
    ),
    method: Annotated[
        str, typer.Option(help="auto, majority, dawid-skene, glad, mace or crowdlab (needs --predictions).")
    ] = "auto",
    rater: Annotated[str | None, typer.Option(help="Who gave the label.", rich_help_panel=given.ROLE)] = None,
    label: Annotated[str | None, typer.Option(help="What the rater said.", rich_help_panel=given.ROLE)] = None,
    path: Annotated[str | None, typer.Option(help="What was read.", rich_help_panel=given.ROLE)] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Out-of-fold class probabilities of the records.", rich_help_panel=given.PREDICTING)
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Order of the columns of --predictions.", rich_help_panel=given.PREDICTING)
    ] = None,
    min_gain: Annotated[
        float, typer.Option(min=0, max=1, help="One more reading is worth it when it should raise the confidence by so much.")
    ] = 0.02,
    seed: Annotated[int, typer.Option(help="Seed of random starts.")] = 0,
) -> None:
    """One label per record out of several readings: soft label, confidence, and where one more reading is worth it."""
    from auditor.experts.release import release
    from auditor.experts.release_file import mask_files, written
    from auditor.files import write_files
    from auditor.layout import Options, open_dataset

    if table.is_dir() and rater is None and (masks := mask_files(table, output)):
        write_files(masks)
        typer.echo(
            f"{output} written: consensus of masks by STAPLE, {len(masks) - 2:,} masks, agreement per record and per rater"
        )
        return
    opened = open_dataset(table, Options(roles=given.roles_of(rater=rater, label=label, path=path)))
    order = tuple(classes.split(",")) if classes else None
    found = release(opened, method=method, predictions=predictions, classes=order, min_gain=min_gain, seed=seed)
    write_files({output: written(found, output)})
    typer.echo(
        f"{output} written: {len(found.frame):,} records, method {found.method} ({found.why}); "
        f"one more reading is worth it for {found.worth:,} of them"
    )


@app.command("split")
def divide(
    dataset: given.Dataset,
    by: Annotated[str, typer.Option(help="What stays whole: patient, study, series or image.")] = "patient",
    stratify: Annotated[
        str | None, typer.Option(help="Columns that every split holds its share of: label,site or columns of the table.")
    ] = None,
    sizes: Annotated[
        str | None, typer.Option(help="Share of each split, 0.7,0.15,0.15 (default: as they are).", metavar="SHARES")
    ] = None,
    names: Annotated[str | None, typer.Option(help="Names of the splits (default: as they are, or train,val,test).")] = None,
    keep: Annotated[
        list[str] | None, typer.Option(help="A split that stays as it is, record by record; may be repeated.")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="labels-split.csv or .tsv; the proof goes beside it.")] = Path(
        "labels-split.csv"
    ),
    label: given.Label = None,
    patient: given.Patient = None,
    split: given.Split = None,
    site: given.Site = None,
    path: given.ImagePath = None,
    lesion: given.Lesion = None,
    study: given.Study = None,
    series: given.Series = None,
    images: given.Root = None,
    config: given.ConfigFile = None,
    workers: given.Workers = None,
    seed: Annotated[int, typer.Option(help="Breaks ties.")] = 0,
) -> None:
    """Split by patient: whole groups of linked records, stratified, few records moved, and the proof that nothing crosses.

    Exit codes: 0 the new split is written and no check finds anything in two splits; 1 it is written and one does;
    2 usage or configuration.
    """
    roles = given.roles_of(
        label=label, patient=patient, split=split, site=site, path=path, lesion=lesion, study=study, series=series
    )
    from auditor.files import write_files
    from auditor.scan import linked_dataset, plan_for
    from auditor.splits.split import Wish
    from auditor.splits.split import split as split_anew
    from auditor.splits.split_file import told, written

    wish = Wish(
        by=by,
        stratify=tuple(given.words_of(stratify)),
        sizes=given.shares_of(sizes),
        names=tuple(given.words_of(names)),
        keep=tuple(given.words_of(keep)),
        seed=seed,
    )
    plan = plan_for(dataset, config=config, roles=roles, root=images, workers=workers, tool_version=__version__)
    new = split_anew(linked_dataset(dataset, plan, progress=progress_on_terminal(quiet=False)), wish)
    files = written(new, output)
    write_files(files)
    typer.echo("\n".join([*told(new), *(f"{path} written" for path in files)]))
    raise typer.Exit(0 if new.proven else 1)


@app.command()
def fingerprint(
    dataset: given.Dataset,
    key: Annotated[Path, typer.Option(help="A secret file, at least 16 bytes; `scan --known` needs the same one.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="hashes.parquet")] = Path("hashes.parquet"),
    perceptual: Annotated[
        bool,
        typer.Option(
            "--perceptual",
            help="Add keyed words of each image, so that compressed, resized or brightened copies are found too.",
        ),
    ] = False,
    images: given.Root = None,
    config: given.ConfigFile = None,
    workers: given.Workers = None,
) -> None:
    """Write keyed hashes of the bytes and pixels of every image (no image, no id), to find this collection in others."""
    from auditor.files import write_files
    from auditor.known import fingerprints_of, read_key
    from auditor.scan import plan_for, read_dataset

    secret = read_key(key)
    plan = plan_for(dataset, config=config, root=images, workers=workers, tool_version=__version__)
    read = read_dataset(dataset, plan, progress=progress_on_terminal(quiet=False))
    content, hashed = fingerprints_of(read, secret, perceptual=perceptual)
    write_files({output: content})
    typer.echo(f"{output} written: keyed hashes of {hashed:,} images; keep the key, and give it only to whom you would trust")


@app.command()
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


def default_output(name: str) -> Path:
    """A file in the folder that is used without -o."""
    return Path(OUTPUT_FOLDER) / name


def progress_on_terminal(*, quiet: bool) -> Progress:
    """A progress bar on a terminal and plain lines elsewhere."""
    from auditor.progress import Silent
    from medaudit.progress import Bar, Lines

    return Silent() if quiet else Bar() if sys.stderr.isatty() else Lines(sys.stderr)


def scan_with_progress(dataset: Path, plan: Any, *, quiet: bool) -> ScanResult:
    """Scan, telling how far it is."""
    from auditor.scan import scan as audit

    return audit(dataset, plan, progress=progress_on_terminal(quiet=quiet))


def show(result: ScanResult, written: list[Path], *, quiet: bool) -> None:
    """The result on the terminal; only the verdict when `quiet`."""
    from rich.console import Console

    from reports.formats.rich import print_result

    print_result(result, Console(highlight=False), outputs=written, brief=quiet)


def show_comparison(comparison: Comparison, written: list[Path], *, quiet: bool) -> None:
    """Before and after on the terminal."""
    from rich.console import Console

    from reports.formats.rich import print_comparison

    if quiet:
        typer.echo(f"{comparison.verdict}: {comparison.summary}")
    else:
        print_comparison(comparison, Console(highlight=False), outputs=written)


def main(arguments: list[str] | None = None) -> int:
    """Entry point. Typer would exit 1 for an uncaught exception, which a gate reads as findings: here it is 3."""
    try:
        from medaudit._rooms import require_own_rooms

        require_own_rooms()
        code = typer.main.get_command(app).main(args=arguments, prog_name="medaudit", standalone_mode=False)
        if code == EXIT_INTERRUPTED:  # Typer turns Ctrl-C into this code, and says nothing
            typer.echo(INTERRUPTED, err=True)
        return code if isinstance(code, int) else 0
    except UsageMistake as error:
        error.show()
        return EXIT_USAGE
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(INTERRUPTED, err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of the output went away (`| head`); the verdict is lost, so the audit counts as incomplete.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN
    except Exception as error:  # noqa: BLE001 - the last line of defence: an honest exit code
        return explain_failure(error)


def explain_failure(error: Exception) -> int:
    """One line for what the user can mend (exit 2); type and place, never values, for a fault of ours (exit 3)."""
    from auditor.errors import MedauditError

    if isinstance(error, MedauditError):
        from reports.cell import visible

        # one line, whatever names of files are in it
        typer.echo(f"medaudit: {visible(str(error))}", err=True)
        return EXIT_USAGE
    if isinstance(error, ImportError) and "medaudit needs its own package" in str(error):
        typer.echo(f"medaudit: {error}", err=True)
        return EXIT_BROKEN
    typer.echo("medaudit: internal error; please report it with these lines (they hold no data):", err=True)
    typer.echo("".join(traceback.format_tb(error.__traceback__)[-6:]) + type(error).__name__, err=True)
    return EXIT_BROKEN
