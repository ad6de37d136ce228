import pytest

from auditor.layout import Options, open_dataset

XML = """<annotation>
  <filename>{name}.jpg</filename>
  <object>
    <name>{label}</name>
    <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30.5</xmax><ymax>40</ymax></bndbox>
  </object>
</annotation>
"""


def make(root, *names, label="RBC"):
    for name in names:
        for path, text in ((f"JPEGImages/{name}.jpg", "x"), (f"Annotations/{name}.xml", XML.format(name=name, label=label))):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)


def lists(root, **members):
    folder = root / "ImageSets/Main"
    folder.mkdir(parents=True)
    for name, entries in members.items():
        (folder / f"{name}.txt").write_text("\n".join(entries) + "\n")


def test_boxes_have_corners_labels_and_lines(tmp_path):
    make(tmp_path, "a", "b")
    dataset = open_dataset(tmp_path, Options())
    assert dataset.summary.layout == "voc"
    assert dataset.labels.task == "none"
    assert dataset.boxes.iloc[0].to_dict() == {
        "record": "JPEGImages/a.jpg", "label": "RBC", "x0": 1.0, "y0": 2.0, "x1": 30.5, "y1": 40.0,
        "path": "Annotations/a.xml", "line": 3,
    }  # fmt: skip
    counts = dataset.summary.counts
    assert (counts["files"], counts["images"], counts["annotations"], counts["other"]) == (4, 2, 2, 0)


def test_split_lists_are_read_and_trainval_is_their_union(tmp_path):
    make(tmp_path, "a", "b", "c", "d")
    lists(tmp_path, train=["a"], val=["b"], test=["c"], trainval=["a", "b", "d"])
    dataset = open_dataset(tmp_path, Options())
    assert dataset.records["split"].tolist() == ["train", "val", "test", "trainval"]


def test_an_image_in_two_lists_is_told(tmp_path):
    make(tmp_path, "a", "b")
    lists(tmp_path, train=["a", "b"], test=["a"])
    assert any("two split lists" in note for note in open_dataset(tmp_path, Options()).summary.notes)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]><annotation><filename>b.jpg</filename></annotation>', "refused"),
        ("<annotation><filename>", "malformed"),
    ],
)
def test_hostile_and_broken_xml_is_a_problem(tmp_path, content, kind):
    make(tmp_path, "a", "b")
    (tmp_path / "Annotations/b.xml").write_text(content)
    dataset = open_dataset(tmp_path, Options())
    assert (kind, "Annotations/b.xml") in {(p.kind, p.path) for p in dataset.problems}
    assert dataset.size == 2
    assert len(dataset.boxes) == 1


def test_an_annotation_never_leads_out_of_the_root(tmp_path):
    make(tmp_path / "d", "a")
    (tmp_path / "b.jpg").write_text("x")
    (tmp_path / "d/Annotations/z.xml").write_text(XML.format(name="../../b", label="RBC"))
    dataset = open_dataset(tmp_path / "d", Options())
    assert [p.kind for p in dataset.problems] == ["missing"]
    assert len(dataset.boxes) == 1


def test_an_image_without_annotation_is_a_problem_and_a_record(tmp_path):
    make(tmp_path, "a")
    (tmp_path / "JPEGImages/extra.jpg").write_text("x")
    dataset = open_dataset(tmp_path, Options())
    assert [(p.kind, p.path) for p in dataset.problems] == [("unlisted", "JPEGImages/extra.jpg")]
    assert dataset.size == 2


def test_the_real_bccd_is_opened_whole(real_data):
    dataset = open_dataset(real_data / "images/bccd", Options())
    assert dataset.size == 364
    assert len(dataset.boxes) == 4888
    assert set(dataset.boxes["label"]) == {"RBC", "WBC", "Platelets"}
    assert dataset.records["split"].value_counts().to_dict() == {"train": 205, "val": 87, "test": 72}
    flat = (real_data / "images/bccd/BCCD/Annotations/BloodImage_00338.xml").read_text().splitlines()
    lines = dataset.boxes.loc[dataset.boxes["path"].str.endswith("00338.xml"), "line"]
    assert all("<object>" in flat[line - 1] for line in lines)


def test_a_stray_annotation_beside_many_images_makes_no_layout(tmp_path):
    make(tmp_path, "a")
    for number in range(20):
        (tmp_path / f"JPEGImages/other{number}.jpg").write_text("x")
    dataset = open_dataset(tmp_path, Options())
    assert dataset.summary.layout == "folders"
    assert any("XML annotations" in problem.reason for problem in dataset.problems)
