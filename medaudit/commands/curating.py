"""Commands that make something for a release: consensus, split, fingerprint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medaudit import __version__
from medaudit import options as given
from medaudit.terminal import progress_on_terminal


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
    from auditor.evidence.raters.release import release
    from auditor.evidence.raters.release_file import mask_files, written
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
    from auditor.scan import plan_for, read_dataset
    from auditor.stages.known import fingerprints_of, read_key

    secret = read_key(key)
    plan = plan_for(dataset, config=config, root=images, workers=workers, tool_version=__version__)
    read = read_dataset(dataset, plan, progress=progress_on_terminal(quiet=False))
    content, hashed = fingerprints_of(read, secret, perceptual=perceptual)
    write_files({output: content})
    typer.echo(f"{output} written: keyed hashes of {hashed:,} images; keep the key, and give it only to whom you would trust")
