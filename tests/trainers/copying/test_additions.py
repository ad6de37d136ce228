"""Records that strategies make: in the copy, marked, told where they came from, never among those that evaluate."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from copies import HEADER, Scanned, label, picture, proposal, rows_of, scanned, snapshot, write_pictures
from foreign import installed
from PIL import Image

from auditor.evidence.kin.groups import EXCLUDED, synthetic
from auditor.plan import plan_for
from auditor.splits.split import split
from auditor.splits.wish import Wish
from auditor.values.errors import ConfigError
from trainers.attempt import Order
from trainers.copying.additions import Addition, additions_of
from trainers.copying.undo import reapply, undo
from trainers.fix import fix
from trainers.trust import trust_of
from trainers.values.recipe import Recipe
from trainers.values.view import View

SOURCE = "images/bild_ä{:02d}.png"


def collection(root: Path, rows: Sequence[tuple[str, ...]] | None = None) -> Scanned:
    write_pictures(root / "images")
    with (root / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([HEADER, *(rows or rows_of())])
    return scanned(root)


def made(folder: Path, *sources: int, **more: object) -> tuple[Addition, ...]:
    """A picture made from each of these."""
    folder.mkdir(exist_ok=True)
    found = []
    for i in sources:
        Image.fromarray(picture(1000 + i)).save(folder / f"{i}.png")
        addition = Addition(record=f"m{i}", source=SOURCE.format(i), strategy="adds", file=folder / f"{i}.png")
        found.append(replace(addition, **more))
    return tuple(found)


def test_the_copy_holds_them_marked_with_the_row_of_their_source_and_in_the_training_part(tmp_path: Path) -> None:
    seen = collection(tmp_path / "set")
    applied = seen.apply(tmp_path / "copy", additions=made(tmp_path / "made", 0, 3))
    assert applied.added == 2
    assert dict(applied.changes) == {"pictures added": 2}
    copy = scanned(tmp_path / "copy").dataset
    ids = [f"images/bild_ä{i:02d}-synthetic-adds-0.png" for i in (0, 3)]
    assert copy.size == 22
    assert copy.records.index[-2:].tolist() == ids
    assert np.flatnonzero(synthetic(copy)).tolist() == [20, 21]
    assert copy.records.loc[ids, "patient"].tolist() == ["P00", "P01"]
    assert copy.records.loc[ids, "split"].tolist() == ["train", "train"]
    assert copy.labels.values.loc[ids].tolist() == seen.dataset.labels.values.iloc[[0, 3]].tolist()
    assert copy.fingerprints["pixels"].notna().all()
    told = pd.read_csv(tmp_path / "copy" / "additions.csv")
    assert told["path"].tolist() == ids
    assert told["source"].tolist() == [SOURCE.format(0), SOURCE.format(3)]
    assert (tmp_path / "set" / "labels.csv").read_bytes() == (tmp_path / "copy" / "labels.csv").read_bytes()


def test_what_was_made_from_a_record_that_evaluates_or_leaves_stays_away_and_is_told(tmp_path: Path) -> None:
    seen = collection(tmp_path / "set")
    away = proposal(strategy="deduplicate", removed={SOURCE.format(0): "a copy"})
    splits = seen.dataset.records["split"].tolist()
    assert [splits[i] for i in (0, 4, 6, 8)] == ["train", "val", "test", "train"]
    applied = seen.apply(tmp_path / "copy", away, additions=made(tmp_path / "made", 0, 4, 6, 8), most_removed=1.0)
    assert applied.added == 1
    assert [note.split(":")[0] for note in applied.notes] == ["1 made pictures stay away", "2 made pictures stay away"]
    copy = scanned(tmp_path / "copy").dataset
    assert copy.size == 20
    assert [str(record) for record, is_made in zip(copy.records.index, synthetic(copy), strict=True) if is_made] == [
        "images/bild_ä08-synthetic-adds-0.png"
    ]
    told = pd.read_csv(tmp_path / "copy" / "additions.csv").fillna("")
    assert [bool(note) for note in told["note"]] == [True, True, True, False]
    assert not list((tmp_path / "copy").rglob("bild_ä04-synthetic*"))


def test_a_label_of_their_own_and_a_corrected_label_of_the_source_are_written(tmp_path: Path) -> None:
    seen = collection(tmp_path / "set")
    was = [str(value) for value in seen.dataset.labels.values]
    assert (was[0], was[1]) == ("NA", "007")
    other = made(tmp_path / "made", 0, corrections=(label(SOURCE.format(0), "NA", "007"),))
    seen.apply(
        tmp_path / "copy", proposal(label(SOURCE.format(1), "007", "NA")), additions=(*other, *made(tmp_path / "made", 1))
    )
    copy = scanned(tmp_path / "copy").dataset
    assert copy.labels.values.iloc[[0, 1, 20, 21]].tolist() == ["NA", "NA", "007", "NA"]


def test_undo_takes_them_out_and_apply_again_brings_them_back(tmp_path: Path) -> None:
    seen = collection(tmp_path / "set")
    output = tmp_path / "copy"
    seen.apply(output, proposal(label(SOURCE.format(1), "007", "NA")), additions=made(tmp_path / "made", 0))
    before = snapshot(output)
    undo(output)
    assert not (output / "synthetic.csv").exists()
    assert scanned(output).dataset.size == 20
    reapply(output)
    assert scanned(output).dataset.labels.values.iloc[[1, 20]].tolist() == ["007", "NA"], "made, and nothing corrected"
    corrections = output / "corrections.csv"
    corrections.write_text(corrections.read_text("utf-8").replace(",no,taken back", ",yes,"), "utf-8")
    reapply(output)
    after = snapshot(output)
    assert {name for name in before if before[name] != after.get(name)} <= {".medaudit/state.json"}
    assert set(after) == set(before)
    assert scanned(output).dataset.labels.values.iloc[[1, 20]].tolist() == ["NA", "NA"]


def test_rows_that_a_person_changed_are_not_lost(tmp_path: Path) -> None:
    seen = collection(tmp_path / "set")
    output = tmp_path / "copy"
    seen.apply(output, additions=made(tmp_path / "made", 0))
    table = output / "synthetic.csv"
    table.write_text(table.read_text("utf-8").replace("NA", "007"), "utf-8")
    with pytest.raises(ConfigError, match="changed by hand"):
        undo(output)


def test_later_runs_and_splits_never_evaluate_on_them_and_without_patients_do_not_learn_from_them(tmp_path: Path) -> None:
    for name, patients in (("with", True), ("without", False)):
        rows = [(i, file, patient if patients else "", finding, "", note) for i, file, patient, finding, _, note in rows_of()]
        seen = collection(tmp_path / name, rows)
        seen.apply(tmp_path / f"{name}-copy", additions=made(tmp_path / "made", *range(20)))
        copy = scanned(tmp_path / f"{name}-copy").dataset
        of_made = synthetic(copy)
        assert of_made.sum() == 20
        for seed in range(5):
            trust = trust_of(copy, seed=seed)
            assert not (of_made & (trust.evaluation | trust.validation | trust.trusted)).any()
            assert (of_made & trust.training).any() is np.bool_(patients)
        new = split(copy, Wish(sizes=(0.5, 0.5)))
        placed = new.table["split"][of_made]
        assert set(placed) <= ({"train", EXCLUDED} if patients else {EXCLUDED})
        assert set(placed) >= {EXCLUDED}
        assert (new.table["split"][~of_made] != EXCLUDED).all()
        assert any("made from others" in note for note in new.notes)


def test_a_form_that_holds_no_further_records_is_refused_in_one_line(tmp_path: Path) -> None:
    root = tmp_path / "set"
    write_pictures(root / "images")
    readers = [(*row, reader) for row in rows_of() for reader in ("r1", "r2")]
    with (root / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([(*HEADER, "reader"), *readers])
    with pytest.raises(ConfigError, match="one row per picture"):
        scanned(root).apply(tmp_path / "copy", additions=made(tmp_path / "made", 0))
    assert not (tmp_path / "copy").exists()


def test_a_view_whose_additions_have_no_source_is_refused(tmp_path: Path) -> None:
    seen = collection(tmp_path / "set")
    view = replace(View.of(seen.dataset), added=seen.dataset)
    with pytest.raises(ConfigError, match="made from no record"):
        additions_of(view, "adds")


ADDS = '''
from dataclasses import dataclass, replace
from typing import ClassVar
import numpy as np
import pandas as pd
from PIL import Image
from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.corrections import Proposal
from trainers.strategy import Strategy


@dataclass(frozen=True, kw_only=True)
class Adds(Strategy):
    """A darker copy of every trusted picture that is learnt from."""

    name: ClassVar[str] = "adds"
    answers: ClassVar[str] = "labels"

    def propose(self, case):
        return Proposal(strategy=self.name, summary="Darker copies of the trusted pictures.")

    def view(self, case, proposal, *, force=False):
        records = case.dataset.records.index[case.trust.trusted & case.trust.training]
        folder = case.work / "adds"
        folder.mkdir(exist_ok=True)
        for i, record in enumerate(records):
            whole = np.asarray(Image.open(case.dataset.root / case.dataset.records.at[record, "path"]))
            Image.fromarray(whole // 2 + i % 3).save(folder / f"{i:03d}.png")
        added = extract(open_dataset(folder, Options(workers=0)), Pass(workers=0))[0]
        labels = replace(case.dataset.labels, values=case.dataset.labels.values.loc[records].set_axis(added.records.index))
        added = replace(added, labels=labels)
        sources = dict(zip(added.records.index.astype(str), records.astype(str), strict=True))
        return replace(super().view(case, proposal, force=force), added=added, sources=sources)
'''


def test_a_strategy_that_adds_pictures_is_trained_applied_and_scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainers.engine.bench.automatic", lambda *_: Recipe(network="small-cnn", epochs=1, batch=16, width=4))
    root = tmp_path / "set"
    (root / "images").mkdir(parents=True)
    lines = ["file,patient,finding,checked"]
    for i in range(48):
        noise = np.random.default_rng(i).integers(60, 120, (12, 12), dtype=np.uint8)
        noise[:, 6 * (i % 2) : 6 * (i % 2) + 6] += 90
        Image.fromarray(noise).save(root / "images" / f"{i:02d}.png")
        lines.append(f"{i:02d}.png,P{i // 2:02d},{'ab'[i % 2]},{('yes', 'no')[i % 8 // 4]}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "foreign").mkdir()
    with installed(
        tmp_path / "foreign", "[medaudit.strategies]\nadds = adding_strategy:Adds\n", ADDS, module="adding_strategy"
    ):
        done = fix(
            Order(strategies=("adds",), trusted="checked", seeds=1, force=True, device="cpu"),
            plan_for(root, select=["IN001"], workers=0, cache=False), tmp_path / "out",
            work=tmp_path / "work", render=lambda _: {},
        )  # fmt: skip
    assert done.corrected.attempts[0].skipped == ""
    assert done.applied is not None
    assert done.applied.added > 0
    assert done.corrected.pending == done.applied.added
    assert done.after is not None
    assert done.after.records == 48 + done.applied.added
    evaluation = done.corrected.attempts[0].evaluation
    assert evaluation is not None
    assert evaluation.records < 48
    copy = scanned(tmp_path / "out").dataset
    assert int(synthetic(copy).sum()) == done.applied.added
    assert len(pd.read_csv(tmp_path / "out" / "additions.csv")) == done.applied.added
