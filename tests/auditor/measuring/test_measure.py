"""A picture is measured as far as it is wanted; a file that is as it was is not read again, and any other is."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont

from auditor.containers.source import read_source
from auditor.degrade.encode import SUFFIX, write_image
from auditor.degrade.phantom import radiograph
from auditor.evidence.privacy.exposure import exposure
from auditor.feature import feature_columns
from auditor.format import open_header
from auditor.measuring import facts
from auditor.measuring.measure import Measurer
from auditor.reading import cache
from auditor.values.errors import UnreadableFile
from auditor.values.image import Header, Limits, Pixels
from auditor.values.measurement import Measurement, Task, Wanted
from auditor.values.privacy import Privacy

SOME = Wanted(features=frozenset({"zones", "lettering"}), sketch=False, front=False)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "SETTLED_SECONDS", -1.0)
    path = tmp_path / "a.png"
    write_image(path, (radiograph(1, 0, opacity=False, side=96) * 255).astype(np.uint8), "png8")
    return path


def measured(file: Path, **how: object) -> Measurement:
    (found,) = Measurer(root=file.parent, limits=Limits(), **how).measure(Task(path=file.name, records=("r",)))
    return found


def test_what_is_not_wanted_is_not_there_and_what_is_equals_the_whole(file: Path) -> None:
    whole, some = measured(file), measured(file, wanted=SOME)
    assert whole.pixels is not None
    assert some.pixels is not None
    names = feature_columns(SOME.features)
    assert {name.split(".")[0] for name in names} == {"zones", "lettering"}
    chosen = [feature_columns().index(name) for name in names]
    np.testing.assert_array_equal(some.pixels.features, whole.pixels.features[chosen])
    assert some.pixels.sketch == b"" != whole.pixels.sketch
    assert some.pixels.digest == whole.pixels.digest
    assert some.key != whole.key


def test_who_knows_everything_knows_a_part_of_it(file: Path) -> None:
    whole = measured(file)
    again = measured(file, wanted=SOME, known={whole.key: whole.pixels})
    assert not again.fresh
    np.testing.assert_array_equal(again.pixels.features, measured(file, wanted=SOME).pixels.features)
    assert again.pixels.sketch == b""


def test_a_part_is_not_taken_for_everything(file: Path) -> None:
    some = measured(file, wanted=SOME)
    again = measured(file, known={some.key: some.pixels})
    assert again.fresh
    assert len(again.pixels.features) == len(feature_columns())


def test_headers_alone_are_those_of_the_whole_pass(file: Path) -> None:
    whole, headers = measured(file), measured(file, wanted=Wanted(pixels=False), isolated=True)
    assert headers.header == whole.header
    assert headers.exposure == whole.exposure
    assert headers.size == whole.size
    assert (headers.pixels, headers.problem, headers.digest) == (None, None, "")


def test_a_file_that_is_as_it_was_is_known_by_its_place(file: Path) -> None:
    first = measured(file)
    assert first.place
    places = {first.place: first.digest}
    again = measured(file, known={first.key: first.pixels}, digest_at=places.get, isolated=True)
    assert (again.fresh, again.digest, again.header, again.exposure) == (False, first.digest, first.header, first.exposure)


def test_a_file_that_pretends_not_to_have_changed_is_read_again(file: Path) -> None:
    first = measured(file)
    before = file.stat()
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    again = measured(file, known={first.key: first.pixels}, digest_at={first.place: first.digest}.get)
    assert again.digest != first.digest
    assert again.pixels is not first.pixels


def test_a_file_that_has_just_changed_is_not_remembered(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "SETTLED_SECONDS", 3600.0)
    assert measured(file).place == ""


def test_a_known_content_of_another_version_is_decoded_again(file: Path) -> None:
    first = measured(file)
    again = measured(file, digest_at={first.place: first.digest}.get, isolated=True)
    assert again.fresh
    assert again.digest == first.digest


REAL = sorted((Path(pydicom.__file__).parent / "data/test_files").glob("*.dcm"))


def said(path: Path, *, mapped: bool) -> object:
    try:
        source = read_source(path, Limits(), mapped=mapped)
        header = open_header(source, Limits())
        return header, exposure(source, header, path.name, Privacy(), Limits())
    except UnreadableFile as error:
        return error.kind, error.reason


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_mapped_dicom_says_what_a_read_one_says(path: Path) -> None:
    assert said(path, mapped=True) == said(path, mapped=False)


@pytest.mark.parametrize("kind", sorted(SUFFIX))
def test_a_mapped_file_says_what_a_read_one_says_also_when_it_was_cut(tmp_path: Path, kind: str) -> None:
    write_image(tmp_path / "a", (radiograph(2, 0, opacity=False, side=64) * 255).astype(np.uint8), kind)
    assert said(tmp_path / "a", mapped=True) == said(tmp_path / "a", mapped=False)
    (tmp_path / "b").write_bytes((tmp_path / "a").read_bytes()[:40])
    assert said(tmp_path / "b", mapped=True) == said(tmp_path / "b", mapped=False)


def test_the_thumbnail_of_a_picture_with_text_burned_in_hides_its_edges_and_no_other_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = Image.fromarray(np.full((480, 480), 40, np.uint8))
    ImageDraw.Draw(drawn).text((8, 8), "KUZMENKOVA OXANA 1953", fill=255, font=ImageFont.load_default(size=18))
    ImageDraw.Draw(drawn).rectangle((200, 200, 280, 280), fill=200)
    write_image(tmp_path / "a.png", np.asarray(drawn), "png8")

    def thumbnail() -> npt.NDArray[np.float64]:
        (found,) = Measurer(root=tmp_path, limits=Limits()).measure(Task(records=("r",), path="a.png"))
        assert found.pixels is not None
        return np.asarray(Image.open(io.BytesIO(found.pixels.thumbnail))).astype(float)

    veiled = thumbnail()
    monkeypatch.setattr(facts, "is_lettered", lambda features, wanted: False)
    bare = thumbnail()
    assert bare[:12, :12].std() > 20, "letters"
    assert veiled[:12, :12].std() < 4, "one block"
    assert np.abs(veiled - bare)[32:64, 32:64].mean() < 4, "the middle stays"


def test_files_measured_together_are_measured_as_each_alone(tmp_path: Path) -> None:
    tasks = []
    for number, kind in enumerate(("png8", "png16", "jpeg", "dicom16")):
        place = tmp_path / f"{number}{SUFFIX[kind]}"
        write_image(place, (radiograph(number, 0, opacity=bool(number % 2), side=90 + number) * 255).astype(np.uint8), kind)
        tasks.append(Task(path=place.name, records=(f"r{number}", f"again{number}")))
    (tmp_path / "bad.png").write_bytes((tmp_path / "0.png").read_bytes()[:300])
    tasks.insert(1, Task(path="bad.png", records=("bad",)))
    tasks.append(Task(path="0.png", records=("mask",), is_mask=True))
    measurer = Measurer(root=tmp_path, limits=Limits())
    together = measurer.finish([measurer.begin(task) for task in tasks])
    assert sum(m.problem is not None for found in together for m in found) == 1
    for task, found in zip(tasks, together, strict=True):
        alone = measurer.measure(task)
        assert [replace(m, pixels=None) for m in found] == [replace(m, pixels=None) for m in alone]
        for one, other in zip(found, alone, strict=True):
            assert (one.pixels is None) == (other.pixels is None)
            for name in ("digest", "constant", "thumbnail", "sketch") if one.pixels is not None else ():
                assert getattr(one.pixels, name) == getattr(other.pixels, name)
            if one.pixels is not None and other.pixels is not None:
                np.testing.assert_array_equal(one.pixels.features, other.pixels.features)


@pytest.mark.parametrize("shape", [(15912, 36), (36, 15912), (1, 3000), (3000, 1), (1, 1), (300, 2, 3), (5000, 9)])
@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_a_strip_of_any_shape_is_measured(shape: tuple[int, ...], kind: str) -> None:
    array = (np.random.default_rng(0).random((1, *shape)) * 250).astype(kind)
    found = facts.pixel_facts(Header(format="png", shape=shape), Pixels(array=array))
    assert found.thumbnail
    assert found.sketch
