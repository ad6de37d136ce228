"""Commands that make something of a dataset: consensus, split, hashes, a folder out of archives, a worse copy and its score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from medaudit import options as given
from medaudit.terminal import apart, progress_on_terminal, tell_crosswalk


@given.sharing(given.DECIDING, given.RETRACING)
def decide(
    table: Annotated[Path, typer.Argument(help="A table of readings, or a folder of masks per rater.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="consensus.csv, .tsv, .parquet or .jsonl.")] = Path(
        "consensus.csv"
    ),
    **plan: Any,
) -> None:
    """One label per record out of several readings: soft label, confidence, and where one more reading is worth it."""
    import medaudit
    from auditor.evidence.raters.release_file import released_files
    from auditor.files import spare, write_files
    from auditor.written import keep_foreign, remember

    private = apart(plan.get("crosswalk"), files=[output])
    spare([output], table, usual="consensus.csv")
    keep_foreign([output], usual="consensus.csv")
    found = medaudit.consensus(table, **given.told(plan))
    files = released_files(found, output)
    if output != Path("consensus.csv"):
        keep_foreign([path for path in files if path != output])
    write_files(files)
    remember(files)
    tell_crosswalk(private)
    typer.echo(f"{output} written: {found.told}")


@given.sharing(given.DEALING, given.ROLES, given.READING)
def divide(
    dataset: given.Dataset,
    output: Annotated[Path, typer.Option("-o", "--output", help="labels-split.csv or .tsv; the proof goes beside it.")] = Path(
        "labels-split.csv"
    ),
    seed: Annotated[int, typer.Option(help="Breaks ties.")] = 0,
    **plan: Any,
) -> None:
    """Split by patient: whole groups of linked records, stratified, few records moved, and the proof that nothing crosses.

    Exit codes: 0 the new split is written and no check finds anything in two splits; 1 it is written and one does;
    2 usage or configuration.
    """
    import medaudit
    from auditor.files import spare, write_files
    from auditor.splits.split_file import told, written
    from auditor.written import keep_foreign, remember

    private = apart(plan.get("crosswalk"), files=[output])
    spare([output], dataset, usual="labels-split.csv")
    proof = output.with_name(f"{output.stem}-proof.json")
    spare([proof], dataset, usual="labels-split-proof.json")
    keep_foreign([output], usual="labels-split.csv")
    keep_foreign([proof], usual="labels-split-proof.json")
    new = medaudit.split(dataset, progress=progress_on_terminal(quiet=False), seed=seed, **given.told(plan))
    files = written(new, output)
    write_files(files)
    remember(files)
    typer.echo("\n".join([*told(new), *(f"{path} written" for path in files)]))
    tell_crosswalk(private)
    raise typer.Exit(0 if new.proven else 1)


@given.sharing(given.READING)
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
    **plan: Any,
) -> None:
    """Write keyed hashes of the bytes and pixels of every image (no image, no id), to find this collection in others."""
    from auditor.files import spare, write_files
    from auditor.scan import read_dataset
    from auditor.stages.known import fingerprints_of, read_key
    from auditor.written import keep_foreign, remember
    from medaudit.keywords import Reading, read_keywords
    from medaudit.scanning import plan_of

    secret, private = read_key(key), apart(plan.get("crosswalk"), files=[output])
    spare([output], dataset, usual="hashes.parquet")
    keep_foreign([output], usual="hashes.parquet")
    options = read_keywords(given.told(plan), Reading, "fingerprint")
    read = read_dataset(plan_of(dataset, options), progress=progress_on_terminal(quiet=False))
    content, hashed = fingerprints_of(read, secret, perceptual=perceptual)
    write_files({output: content})
    remember([output])
    typer.echo(f"{output} written: keyed hashes of {hashed:,} images; keep the key, and give it only to whom you would trust")
    tell_crosswalk(private)


@given.sharing(given.UNPACKING)
def unpack(
    source: Annotated[Path, typer.Argument(help="An archive, a Parquet table with images, or a folder that holds some.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A new folder for the data set.")],
    **plan: Any,
) -> None:
    """Make a folder of a data set in archives: zip, tar, WebDataset shards, Parquet tables with images.

    Exit codes: 0 all of it is there; 1 it is there, and some members were left out (they are counted);
    2 usage, nothing to unpack, or an archive is damaged or too large; then nothing is written.
    """
    import medaudit

    done = medaudit.unpack(source, output, progress=progress_on_terminal(quiet=False), **given.told(plan))
    counted = "1 archive" if done.archives == 1 else f"{done.archives:,} archives"
    typer.echo(f"{done.folder} written: {done.files:,} files, {done.bytes / 1e6:,.1f} MB of them out of {counted}")
    if done.table is not None:
        typer.echo(f"{done.table} written: what the shards say of {done.rows:,} images")
    for reason, count in sorted(done.refused.items()):
        typer.echo(f"  left out, {count:,}: {reason}")
    typer.echo(f"now: medaudit scan {done.folder}")
    raise typer.Exit(1 if done.refused else 0)


@given.sharing(given.HARMING, given.ROLES, given.READING)
def worsen(
    dataset: given.Dataset,
    output: Annotated[Path, typer.Option("-o", "--output", help="A new folder: dataset/ and truth.csv are made in it.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.", min=0)] = 0,
    **plan: Any,
) -> None:
    """Make a dataset worse on purpose, in its own form, with the truth of what was done, to see what a scan of it finds.

    Exit codes: 0 written; 2 usage, or the dataset lacks what is to be made worse; then nothing is written.
    """
    import medaudit

    private = apart(plan.get("crosswalk"), folders=[output])
    done = medaudit.degrade(dataset, output, progress=progress_on_terminal(quiet=False), seed=seed, **given.told(plan))
    counts = [f"  {count:,} × {kind}" for kind, count in sorted(done.done.items())]
    bad = [] if done.severity is None else [f"  severity: mean pixel F1 against the original {done.severity:.3f}"]
    typer.echo("\n".join([f"{done.dataset} written, worse by:", *counts, *bad, *(f"  {note}" for note in done.notes)]))
    typer.echo(f"{done.truth} written: what was done; `medaudit score RESULT.json {done.truth}` after a scan of {done.dataset}")
    tell_crosswalk(private)


def score(
    result: Annotated[Path, typer.Argument(help="result.json of a scan of the worse copy.")],
    truth: Annotated[Path, typer.Argument(help="The truth.csv that `medaudit degrade` (or `medaudit demo`) wrote.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the scores to this file too, as JSON.")] = None,
) -> None:
    """Count how much of what was planted a scan found, per kind of harm: recall and false alarms, with intervals.

    Exit codes: 0 scored; 2 a file cannot be read, or the result is not that of this copy.
    """
    import json

    import medaudit
    from auditor.files import spare_foreign, write_files
    from auditor.scoring.score import as_json, as_text

    spare_foreign([output] if output is not None else [])
    scores = medaudit.score(result, truth)
    typer.echo("\n".join(as_text(scores)))
    if output is not None:
        write_files({output: (json.dumps({"written_by": "medaudit", **as_json(scores)}, indent=1) + "\n").encode()})
        typer.echo(f"{output} written")
