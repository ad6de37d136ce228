from __future__ import annotations

from pathlib import Path

import numpy as np

from auditor.degrade.encode import write_image
from auditor.progress import Silent
from auditor.values.image import Limits
from trainers.rewriting.form_report import FEW_LEVELS, Looked, Made, form_notes, sources_table
from trainers.rewriting.rewrite import Form, common_form
from trainers.rewriting.rewrite_pass import RewriteSetup, Rewritten, Surveyed, read_all, write_whole
from trainers.rewriting.sizes import Canvas


def looked_at(root: Path, paths: list[str]) -> Looked:
    setup = RewriteSetup(root=root, limits=Limits(), cache=None)
    looked = Looked()
    for one in read_all(paths, setup, workers=0, stage="", progress=Silent()):
        if isinstance(one, Surveyed):
            looked.seen[one.record], looked.formats[one.record] = one.seen, one.source
        elif one.problem is not None:
            looked.unread[one.record] = one.problem[1]
    return looked


def form_of(looked: Looked) -> Form:
    return common_form(looked.seen.values(), canvas=Canvas(), colour="auto")


def test_a_file_that_cannot_be_read_is_an_answer_and_no_error(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.arange(64, dtype=np.uint8).reshape(8, 8), "png8")
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    looked = looked_at(tmp_path, ["a.png", "b.png", "gone.png"])
    assert list(looked.seen) == ["a.png"]
    assert set(looked.unread) == {"b.png", "gone.png"}


def test_equal_files_are_written_once_and_other_forms_elsewhere(tmp_path: Path) -> None:
    picture = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    for name in ("a", "b"):
        write_image(tmp_path / f"{name}.png", picture, "png16")
    write_image(tmp_path / "c.png", (picture // 257).astype(np.uint8), "png8")
    folder = tmp_path / "new"
    folder.mkdir()
    written = []
    for names in (["a.png", "b.png"], ["a.png", "b.png", "c.png"]):
        form = form_of(looked_at(tmp_path, names))
        setup = RewriteSetup(root=tmp_path, limits=Limits(), cache=None, form=form, folder=folder)
        answers = list(read_all(names[:2], setup, workers=0, stage="", progress=Silent()))
        assert all(isinstance(one, Rewritten) and one.levels == 256 and one.traces is None for one in answers)
        written.append({one.file for one in answers if isinstance(one, Rewritten)})
    assert [len(files) for files in written] == [1, 1]
    assert not written[0] & written[1]
    assert len(list(folder.iterdir())) == 2


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.png", b"first")
    write_whole(tmp_path / "a.png", b"second")
    assert (tmp_path / "a.png").read_bytes() == b"second"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_the_report_counts_what_the_files_were(tmp_path: Path) -> None:
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for i in range(3):
        write_image(tmp_path / f"{i}.png", picture, "png8")
    write_image(tmp_path / "deep.dcm", picture.astype(np.uint16) * 16, "dicom12")
    looked = looked_at(tmp_path, ["0.png", "1.png", "2.png", "deep.dcm"])
    table = {c.name: list(c.values) for c in sources_table(looked).columns}
    assert (table["format"], table["bits"], table["files"]) == (["png", "dicom"], [8, 12], [3, 1])


def test_pictures_that_lose_nearly_all_their_levels_are_told_of(tmp_path: Path) -> None:
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    write_image(tmp_path / "a.png", picture, "png8")
    looked = looked_at(tmp_path, ["a.png"])
    few = Made(files={"a.png": "x"}, levels=[FEW_LEVELS - 1])
    many = Made(files={"a.png": "x"}, levels=[FEW_LEVELS])
    assert any("grey levels" in note for note in form_notes(looked, few, form_of(looked)))
    assert form_notes(looked, many, form_of(looked)) == []
