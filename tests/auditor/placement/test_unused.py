"""Files of labels that the layout does not read are told, with the reason; what is none is not."""

import io
import json

import numpy as np
import pytest

from auditor.layout import Options, open_dataset

ROWS = [f"{i:05d}.png" for i in range(1, 13)]


def pictures(root, folder="images"):
    (root / folder).mkdir(parents=True, exist_ok=True)
    for name in ROWS:
        (root / folder / name).write_bytes(b"x")
    return root


def table(names, mark=",", labels=("benign", "malignant")):
    rows = [mark.join(("image", "diagnosis", "patient_id"))]
    rows += [mark.join((name, labels[i % 2], f"p{i // 2}")) for i, name in enumerate(names)]
    return "\r\n".join(rows) + "\r\n"


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def opened(root):
    return open_dataset(root, Options(workers=0))


def unused(dataset, kind="unused-table"):
    return [(p.path, p.reason) for p in dataset.problems if p.kind == kind]


@pytest.mark.parametrize(
    "content",
    [
        ("sep=;\r\n" + table(ROWS, ";")).encode(),
        ('"sep=,"\r\n' + table(ROWS)).encode(),
        ("Export of the reading list;;\r\n;;\r\n" + table(ROWS, ";")).encode(),
        ("Study 12, exported on Monday\n\n" + table(ROWS)).encode(),
        table(ROWS).encode("utf-16-le"),
        table(ROWS).encode("utf-16-be"),
        table(ROWS).encode("utf-16"),
        table([f"D:\\Study Data\\images\\{name}" for name in ROWS]).encode(),
        table([f"/home/somebody/set/{name}" for name in ROWS]).encode(),
        table([f"\\\\server\\share\\{name}" for name in ROWS]).encode(),
        table([str(int(name[:-4])) for name in ROWS]).encode(),
        table([name.upper() for name in ROWS]).encode(),
        table([name.removesuffix(".png") for name in ROWS]).encode(),
        table([name.replace(".png", ".dcm") for name in ROWS]).encode(),
        table(ROWS).replace("image", "图像").replace("diagnosis", "诊断").encode("gb18030"),
        table(ROWS).replace("image", "画像").replace("diagnosis", "診断").encode("shift_jis"),
        table(ROWS).replace("image", "영상").replace("diagnosis", "진단").encode("cp949"),
        table(ROWS, labels=("gutartig", "bösartig")).replace("diagnosis", "Befund").encode("cp1252"),
        table([f'"{name}\n"' for name in ROWS]).encode(),
    ],
    ids=[
        "sep", "quoted sep", "title", "title of two cells", "utf-16-le", "utf-16-be", "utf-16", "drive", "home",
        "share", "zeros", "capitals", "no suffix", "another suffix", "gb18030", "shift-jis", "cp949", "cp1252", "line breaks",
    ],
)  # fmt: skip
def test_a_table_as_spreadsheets_write_it_is_used(tmp_path, content):
    pictures(tmp_path)
    (tmp_path / "labels.csv").write_bytes(content)
    dataset = opened(tmp_path)
    assert dataset.summary.layout == "table"
    assert dataset.records["path"].tolist() == [f"images/{name}" for name in ROWS]
    assert len(dataset.labels.classes) == 2
    assert dataset.records["patient"].nunique() == 6
    assert unused(dataset) == []


def test_lost_zeros_are_told(tmp_path):
    pictures(tmp_path)
    (tmp_path / "labels.csv").write_text(table([str(int(name[:-4])) for name in ROWS]))
    assert any("zeros in front" in note for note in opened(tmp_path).summary.notes)


def test_ages_are_no_names_of_numbered_images(tmp_path):
    pictures(tmp_path)
    (tmp_path / "people.csv").write_text("age,diagnosis\n" + "".join(f"{i},ab\n" for i in range(1, 13)))
    assert opened(tmp_path).summary.layout == "folders"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("labels.csv", table([f"other-{name}" for name in ROWS]).encode(), "no column names the image files"),
        ("labels.csv", b"\0\1\2\3" * 50, "cannot be read"),
        ("labels.csv", b"image,diagnosis\n", "cannot be read"),
        ("labels.parquet", b"PAR1 no parquet", "cannot be read"),
        ("labels.xlsx", b"PK\3\4", "save it as csv"),
        (
            "cases.json",
            json.dumps({"a": {"b": {"c": [{"f": name, "class": 1} for name in ROWS]}}}).encode(),
            "names the images",
        ),
        ("labels.json", b"[" * 5000 + b"]" * 5000, "cannot be read"),
        ("labels.json", b'{"00001.png": [1,', "cannot be read"),
        ("annotations.yaml", "".join(f"{name[:-4]}x: a\n{name}: a\n" for name in ROWS).encode(), "names the images"),
        ("classes.toml", "".join(f'"{name}" = "a"\n' for name in ROWS).encode(), "names the images"),
        ("set.xml", "".join(f'<i file="{name}" label="a"/>' for name in ROWS).encode(), "names the images"),
        ("labels.npy", npy(np.zeros(12, np.int64)), "called as labels are"),
        ("y_train.pkl", b"\x80\x04]\x94.", "called as labels are"),
        ("ground-truth.mat", b"MATLAB 5.0 MAT-file", "called as labels are"),
        ("labels.yaml.gz", b"\x1f\x8b\x08\0", "called as labels are"),
    ],
)
def test_a_file_of_labels_that_is_not_read_is_told_with_its_reason(tmp_path, name, content, reason):
    pictures(tmp_path)
    (tmp_path / name).write_bytes(content)
    dataset = opened(tmp_path)
    ((path, told),) = unused(dataset)
    assert path == name
    assert reason in told
    assert str(tmp_path) not in told


def test_boxes_beside_their_images_are_told_once(tmp_path):
    pictures(tmp_path)
    (tmp_path / "labels").mkdir()
    for name in ROWS:
        (tmp_path / "labels" / name.replace(".png", ".txt")).write_text("lesion 12 14 30 40\n")
    ((path, told),) = unused(opened(tmp_path))
    assert path == "labels"
    assert "called after the images" in told


def test_an_outline_beside_each_image_is_told_once(tmp_path):
    pictures(tmp_path)
    for name in ROWS:
        (tmp_path / "images" / name.replace(".png", ".json")).write_text('{"shapes": [], "imagePath": "x"}')
    ((path, told),) = unused(open_dataset(tmp_path, Options(workers=0, layout="folders")))
    assert path == "images"
    assert "12 files" in told
    assert "LabelMe" in told


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.txt", "00001.png is the first image\n" * 9),
        ("dataset_description.json", '{"Name": "x", "BIDSVersion": "1.8.0"}'),
        ("labels.json", '{"0": "benign", "1": "malignant"}'),
        ("mkdocs.yml", "theme: images\nnav: [one, two, three]\n" * 200),
        ("result.json", json.dumps({"schema_version": "2", "thumbnails": ROWS})),
        ("scaler.pkl", "x"),
        ("00001.json", json.dumps({"next": ROWS})),
        ("parameters.csv", "name,value\nkvp,120\nmas,3\n"),
    ],
)
def test_other_files_are_no_labels(tmp_path, name, content):
    pictures(tmp_path)
    (tmp_path / name).write_text(content)
    assert unused(opened(tmp_path)) == []


def test_a_further_table_beside_the_one_that_is_read_is_only_mentioned(tmp_path):
    pictures(tmp_path)
    (tmp_path / "labels.csv").write_text(table(ROWS))
    (tmp_path / "boxes.csv").write_text("image,finding,x\n" + "".join(f"{name},nodule,3\n" for name in ROWS[:6]))
    dataset = opened(tmp_path)
    assert unused(dataset) == []
    assert [path for path, _ in unused(dataset, "table-aside")] == ["boxes.csv"]


def test_several_tables_of_one_split_are_one_and_said(tmp_path):
    for name in ("mass_train", "mass_test", "calc_train", "calc_test"):
        pictures(tmp_path, f"images/{name}")
        (tmp_path / f"{name}.csv").write_text(table([f"{name}/{row}" for row in ROWS]))
    dataset = opened(tmp_path)
    assert dataset.size == 48
    assert dataset.records["split"].value_counts().to_dict() == {"train": 24, "test": 24}
    assert any("4 tables are read as one" in note for note in dataset.summary.notes)


def test_two_versions_of_one_table_are_not_joined(tmp_path):
    pictures(tmp_path)
    (tmp_path / "train.csv").write_text(table(ROWS))
    (tmp_path / "train_v2.csv").write_text(table(ROWS))
    dataset = opened(tmp_path)
    assert dataset.size == 12
    assert len(unused(dataset)) == 1


def test_rows_that_count_the_findings_of_an_image_are_one_record(tmp_path):
    pictures(tmp_path)
    rows = [f"{name},1,benign" for name in ROWS] + [f"{ROWS[0]},2,malignant"]
    (tmp_path / "labels.csv").write_text("image,abnormality id,diagnosis\n" + "\n".join(rows) + "\n")
    dataset = opened(tmp_path)
    assert dataset.size == 12
    assert dataset.labels.task == "multi"


@pytest.mark.parametrize(
    ("second", "verdict", "words"),
    [
        (["Benign", "malignant"], "table-aside", "another table was read"),
        (["malignant", "malignant"], "unused-table", "it labels 6 of 12 images otherwise than the table that was read"),
        (["naevus", "melanoma"], "unused-table", "in words that the table that was read does not hold"),
    ],
)
def test_a_second_table_of_classes_is_no_silence_where_it_says_something_else(tmp_path, second, verdict, words):
    for number in range(12):
        (tmp_path / f"im{number:02d}.png").write_bytes(b"x")
    first = [f"im{n:02d}.png,{('benign', 'malignant')[n % 2]},p{n}" for n in range(12)]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label,patient", *first]) + "\n")
    (tmp_path / "other.csv").write_text("\n".join(["image,class", *(f"im{n:02d},{second[n % 2]}" for n in range(12))]) + "\n")
    dataset = open_dataset(tmp_path, Options(workers=0))
    told = [(problem.kind, problem.path) for problem in dataset.problems]
    assert told == [(verdict, "other.csv")]
    assert words in dataset.problems[0].reason
