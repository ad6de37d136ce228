"""Patients, acquisitions, classes and splits that names and folders say; running numbers say nothing."""

from pathlib import Path

import pytest

from auditor.check import SkipCheck
from auditor.checks.sp001 import PatientAcrossSplits
from auditor.checks.sp006 import IdsCannotTell
from auditor.layout import Options, open_dataset


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def opened(root, **options):
    return open_dataset(root, Options(workers=0, **options))


def split(pattern, *, patients=12, images=2, shared=4, test_from=0):
    """Names of both splits; `shared` patients stand in each of them, and those from `test_from` on in the second alone."""
    names = []
    for patient in range(1, patients + shared + 1):
        for image in range(images):
            inside = "train" if patient <= patients and not (patient <= shared and image == images - 1) else "test"
            if test_from and patient >= test_from:
                inside = "test"
            label = ("normal", "ill")[patient % 2]
            names.append(
                pattern.format(s=inside, c=label, p=patient, i=image + 1, v=("left", "right", "both")[image], d=patient)
            )
    return names


@pytest.mark.parametrize(
    "pattern",
    [
        "{s}/{c}/{p}_{v}.jpeg",
        "{s}/{c}/{p:08d}_{i:03d}.png",
        "{s}/{c}/BraTS20_Training_{p:03d}_slice_{i}.png",
        "{s}/BraTS-GLI-{p:05d}-{i:03d}-t1c.nii.gz",
        "{s}/{c}/p{p:03d}-im{i}.png",
        "{s}/{c}/Patient ({p})/{i}.png",
        "{s}/{c}/subject_{p}_scan_{i}.png",
        "{s}/{c}/case_{p:03d}/slice_{i}.png",
        "{s}/{c}/sub-{p:02d}_T{i}w.nii.gz",
        "{s}/{c}/A_{p:04d}_LEFT_{i}.png".replace("LEFT_{i}", "L_CC"),
    ],
)
def test_patients_in_names_are_found_across_splits(tmp_path, pattern):
    dataset = opened(make(tmp_path, *split(pattern)))
    assert dataset.records["split"].nunique() == 2
    if "L_CC" in pattern:
        assert dataset.records["patient"].nunique() == 16
        return
    verdict = PatientAcrossSplits().run(dataset)
    assert verdict.metrics["patients_shared"] == 4


@pytest.mark.parametrize(
    "pattern",
    ["{s}/{c}/{p:04d}_{i:02d}.png", "{s}/{c}/x{p}-slice{i}.png", "{s}/{c}/{p}_{v}_eye.png", "{s}/{c}/scan{p}.{i}.png"],
)
def test_leading_ids_in_two_splits_are_a_warning_where_nobody_knows_what_they_are(tmp_path, pattern):
    dataset = opened(make(tmp_path, *split(pattern)))
    verdict = IdsCannotTell().run(dataset)
    (finding,) = verdict.findings
    assert finding.evidence["in_several_splits"] == 4
    assert verdict.coverage is not None
    assert verdict.coverage.evaluated == 0


RECURRING = [
    "{s}/{c}/p{p}-201903{d:02d}-{i}.png",
    "{s}/{c}/slide_B2014.{p:03d}_tile_{i}_7.png",
    "{s}/{c}/{p:03d}{v[0]}.png",
    "{s}/{c}/{i}_{p:05d}.png",
    "{s}/{c}/{v}_{p:05d}.png",
    "{s}/{c}/Anon{p:03d}__series{i}__key.png",
    "{s}/{c}/Slide{p}Field{i}.png",
]


@pytest.mark.parametrize("pattern", RECURRING)
def test_ids_at_any_place_of_a_name_are_a_warning_where_they_stand_in_two_splits(tmp_path, pattern):
    (finding,) = IdsCannotTell().run(opened(make(tmp_path, *split(pattern, images=3)))).findings
    assert finding.evidence["in_several_splits"] == 4


def studies(pattern, *, by, patients=24, several=3):
    """Names of patients with several studies of two images; `by` says who was dealt: the studies or the patients."""
    names = []
    for patient in range(1, patients + 1):
        for study in range(several):
            number = several * patient + study
            inside = ("train", "test")[{"studies": number * 7, "patients": patient}[by] % 5 == 0]
            label = ("normal", "ill")[patient % 2]
            names += [pattern.format(s=inside, c=label, p=patient, n=3000 + 13 * number, i=i) for i in (1, 2)]
    return names


STUDIES = [
    "{s}/{c}/{p:03d}_{n}_{i}.png",
    "{s}/{c}/x{p}-{n}-{i}.png",
    "{s}/{c}/{n}_{i}_k{p:03d}.png",
    "{s}/{c}/h{p}.{n}.{i}.png",
]


@pytest.mark.parametrize("pattern", STUDIES)
def test_ids_that_cross_are_a_warning_although_the_studies_within_them_do_not(tmp_path, pattern):
    (finding,) = IdsCannotTell().run(opened(make(tmp_path, *studies(pattern, by="studies")))).findings
    assert finding.evidence["leading_ids"] == 24
    assert finding.evidence["in_several_splits"] > 8


@pytest.mark.parametrize("pattern", STUDIES)
def test_what_never_crosses_is_said_to_be_an_assumption(tmp_path, pattern):
    with pytest.raises(SkipCheck, match="one split each: if they are the patients, the splits share none, but nobody says"):
        IdsCannotTell().run(opened(make(tmp_path, *studies(pattern, by="patients"))))


def test_augmented_copies_that_stand_apart_hide_no_pictures_that_do_not(tmp_path):
    names = [
        f"{('train', 'test')[aug == '' and n % 3 == 0]}/{('ill', 'well')[n % 2]}/k{n:03d}{aug}.png"
        for n in range(60)
        for aug in ("", "_aug1", "_aug2")
    ]
    (finding,) = IdsCannotTell().run(opened(make(tmp_path, *names))).findings
    assert finding.evidence["leading_ids"] == 60
    assert finding.evidence["in_several_splits"] == 20


def test_clinics_that_stand_in_every_split_are_no_patients(tmp_path):
    names = studies("{s}/{c}/k{p:02d}_{n}_{i}.png", by="studies", patients=10, several=20)
    with pytest.raises(SkipCheck, match="nobody says"):
        IdsCannotTell().run(opened(make(tmp_path, *names)))


@pytest.mark.parametrize("pattern", RECURRING)
def test_splits_that_were_dealt_by_what_recurs_in_the_names_are_no_warning(tmp_path, pattern):
    with pytest.raises(SkipCheck):
        IdsCannotTell().run(opened(make(tmp_path, *split(pattern, images=3, patients=24, shared=0, test_from=17))))


@pytest.mark.parametrize(
    "pattern",
    [
        "{s}/{c}/{n:05d}.png",
        "{s}/{c}/img_{n}.png",
        "{s}/{c}/{c} ({n}).png",
        "{s}/{c}/IMG_20200131_{n:06d}.jpg",
        "{s}/{c}/{c}_{n:04d}.png",
        "{s}/{c}/2020_{n:04d}.png",
        "{s}/{c}/2018-02-03T1005{n:02d}.png",
        "{s}/{c}/{c}-{n}.png",
        "{s}/{c}/ISIC_{n:07d}.jpg",
    ],
)
def test_running_numbers_are_no_patients(tmp_path, pattern):
    names = [
        pattern.format(s=s, c=c, n=number)
        for s, start in (("train", 1), ("test", 1))
        for c in ("normal", "ill")
        for number in range(start, 31)
    ]
    dataset = opened(make(tmp_path, *names))
    assert dataset.records["patient"].isna().all()
    with pytest.raises(SkipCheck):
        IdsCannotTell().run(dataset)


@pytest.mark.parametrize(
    "pattern",
    [
        "{s}/{c}/{d:02d}-03-2019 {n}.png",
        "{s}/{c}/{y}-{n:05d}.png",
        "{s}/{c}/{n:04d}_{a}y.png",
        "{s}/{c}/im{n}_q{a}.png",
        "{s}/{c}/{x}_{z}_{n}.png",
        "{s}/{c}/batch{b}_{m:03d}.png",
    ],
)
def test_dates_measures_and_places_are_no_patients(tmp_path, pattern):
    names = [
        pattern.format(
            s=("train", "test")[n % 3 == 0], c=("normal", "ill")[n % 2], n=n, m=n % 30, d=1 + n % 20, y=2001 + n * 7 // 5 % 12,
            a=20 + (n * 7 + n // 30) % 31, x=256 * (n % 17), z=256 * (n % 5), b=n // 30,
        )
        for n in range(240)
    ]  # fmt: skip
    dataset = opened(make(tmp_path, *names))
    with pytest.raises(SkipCheck):
        IdsCannotTell().run(dataset)


def test_two_body_parts_of_one_patient_are_two_studies_and_the_study_says_the_class(tmp_path):
    names = [
        f"MURA-v1.1/{s}/XR_{part}/patient{p:05d}/study1_{label}/image{i}.png"
        for s, people in (("train", range(1, 9)), ("valid", range(9, 13)))
        for p in people
        for part, label in (("HAND", "positive"), ("WRIST", "negative"))
        for i in (1, 2)
    ]
    dataset = opened(make(tmp_path, *names))
    assert dataset.labels.classes == ("negative", "positive")
    assert dataset.records["patient"].nunique() == 12
    assert dataset.records["study"].nunique() == 24


def test_splits_of_names_and_of_folders_count_beside_a_table(tmp_path):
    make(tmp_path / "a", *(f"{s}_{n}.bmp" for s in ("train", "testA", "testB") for n in range(1, 13)))
    rows = [f"{s}_{n},{'ab'[n % 2]}" for s in ("train", "testA", "testB") for n in range(1, 13)]
    (tmp_path / "a" / "Grade.csv").write_text("name,grade\n" + "\n".join(rows) + "\n")
    assert opened(tmp_path / "a").records["split"].value_counts().to_dict() == {"test": 24, "train": 12}
    make(tmp_path / "b", *(f"{s}/{s}{n}.bmp" for s in ("train", "test") for n in range(1, 13)))
    rows = [f"{s}{n}.bmp,{'ab'[n % 2]}" for s in ("train", "test") for n in range(1, 13)]
    (tmp_path / "b" / "labels.csv").write_text("file,label\n" + "\n".join(rows) + "\n")
    assert opened(tmp_path / "b").records["split"].value_counts().to_dict() == {"train": 12, "test": 12}


def test_a_folder_level_can_be_pinned_beside_a_table_and_without_one(tmp_path):
    make(tmp_path, *(f"{s}/{c}/{n}.png" for s in ("first", "second") for c in ("a", "b") for n in range(6)))
    alone = opened(tmp_path, roles={"split": "folder:1", "label": "folder:2"})
    assert set(alone.records["split"]) == {"first", "second"}
    assert alone.labels.classes == ("a", "b")
    rows = [f"{s}/{c}/{n}.png,{n}" for s in ("first", "second") for c in ("a", "b") for n in range(6)]
    (tmp_path / "list.csv").write_text("file,grade\n" + "\n".join(rows) + "\n")
    beside = opened(tmp_path, roles={"split": "folder:1", "label": "folder:2"})
    assert beside.summary.layout == "table"
    assert set(beside.records["split"]) == {"first", "second"}
    assert beside.labels.classes == ("a", "b")


@pytest.mark.parametrize(
    ("classes", "parts"),
    [
        (("良性", "恶性"), ("train", "test")),
        (("良性", "恶性"), ("训练集", "测试集")),
        (("добро", "рак"), ("train", "test")),
        (("양성", "악성"), ("학습", "테스트")),
        (("bénin", "tumörös"), ("entraînement", "test")),
    ],
)
def test_classes_and_splits_may_be_called_in_any_script(tmp_path, classes, parts):
    names = [f"{parts[p % 5 == 0]}/{classes[p % 2]}/p{p:03d}_{i}.png" for p in range(30) for i in range(2)]
    dataset = opened(make(tmp_path, *names))
    assert set(dataset.labels.classes) == set(classes)
    assert set(dataset.records["split"]) == {"train", "test"}


def test_folders_of_pictures_and_of_drawings_in_another_script_are_no_classes(tmp_path):
    names = [f"{folder}/c{n:03d}.png" for folder in ("图像", "掩膜") for n in range(20)]
    assert opened(make(tmp_path, *names)).labels.task == "none"
