import os

import pytest
from PIL import Image

from auditor.layout import Options, detect, layouts, list_files, open_dataset, resolve_inside
from auditor.values.errors import DatasetError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_hidden_files_and_own_output_are_no_part_of_a_dataset(tmp_path):
    touch(tmp_path, "b/2.png", "a.png", ".hidden/x.png", "._a.png", "medaudit-out/report.html")
    listing = list_files(tmp_path)
    assert list(listing.files) == ["a.png", "b/2.png"]
    assert not listing.is_file


def test_links_out_of_the_root_and_pipes_are_refused(tmp_path):
    touch(tmp_path, "d/a.png", "outside.png")
    (tmp_path / "d/out.png").symlink_to(tmp_path / "outside.png")
    (tmp_path / "d/inside.png").symlink_to(tmp_path / "d/a.png")
    (tmp_path / "d/up").symlink_to(tmp_path)
    (tmp_path / "d/nowhere").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "d/pipe.png")
    listing = list_files(tmp_path / "d")
    assert sorted(listing.files) == ["a.png", "inside.png"]
    assert [(p.kind, p.path) for p in listing.problems] == [
        ("refused", "nowhere"), ("refused", "out.png"), ("refused", "pipe.png"), ("refused", "up"),
    ]  # fmt: skip


def test_links_that_run_in_a_circle_are_refused_and_nothing_is_raised(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    (tmp_path / "up").symlink_to("..")
    listing = list_files(tmp_path)
    assert list(listing.files) == ["a.png"]
    assert {problem.path for problem in listing.problems} == {"one", "two", "up"}
    with pytest.raises(DatasetError, match="no such file"):
        list_files(tmp_path / "one")


def test_names_that_are_no_utf_8_are_refused_and_shown_escaped(tmp_path):
    touch(tmp_path, "a.png")
    (tmp_path / os.fsdecode(b"\xff.png")).write_bytes(b"x")
    listing = list_files(tmp_path)
    assert list(listing.files) == ["a.png"]
    assert listing.problems[0].path == r"\udcff.png"


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_a_wrong_or_empty_path_is_one_line(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError) as caught:
        list_files(tmp_path / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_anything_to_audit_is_an_error(tmp_path):
    touch(tmp_path, "readme.txt")
    with pytest.raises(DatasetError, match="no images, label table or npz"):
        open_dataset(tmp_path, Options())


def test_a_column_cannot_be_pinned_where_no_table_was_read(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(6):
            Image.new("L", (8, 8), number).save(tmp_path / name / f"{number}.png")
    assert open_dataset(tmp_path, Options()).size == 12
    with pytest.raises(DatasetError, match="no column 'person' can be the patient; name the table"):
        open_dataset(tmp_path, Options(roles={"patient": "person"}))


def test_an_unknown_layout_names_those_there_are(tmp_path):
    touch(tmp_path, "a.png")
    with pytest.raises(DatasetError, match="dicom_tree, folders"):
        detect(list_files(tmp_path), Options(layout="nonsense"))


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("a/b.png", "a/b.png"), ("./a//b.png", "a/b.png"), ("a\\b.png", "a/b.png"), ("a/../b.png", "b.png"), ("..", None),
        ("../b.png", None), ("a/../../b", None), ("/etc/passwd", None), ("C:\\x.png", None), ("a\0b", None),
    ],
)  # fmt: skip
def test_paths_stay_inside_the_root(tmp_path, name, inside):
    assert resolve_inside(tmp_path, name) == inside


def test_an_absolute_path_inside_the_root_is_relative(tmp_path):
    assert resolve_inside(tmp_path, str(tmp_path / "a/b.png")) == "a/b.png"


def test_every_layout_module_has_its_two_functions():
    for name, module in layouts().items():
        assert callable(module.detect), name
        assert callable(module.load), name


def test_what_is_there_and_not_read_are_the_records_where_nothing_else_is(tmp_path):
    touch(tmp_path, "a.exr", "b.czi")
    dataset = open_dataset(tmp_path, Options())
    assert list(dataset.records["path"]) == ["a.exr", "b.czi"]
    assert {problem.path for problem in dataset.problems} <= {"a.exr", "b.czi"}
