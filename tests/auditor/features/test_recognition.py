"""Letters are recognised where a row of shapes is, counted and dropped; nothing is imported where nobody asks."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from auditor.feature import feature_columns, feature_version, usual_features
from auditor.features import recognition
from auditor.features.lettering import BURNED
from auditor.features.recognition import FAILED, LEAST_READ, burned, measure
from auditor.plan import plan_for
from auditor.stages.extract import wanted_of
from auditor.values.errors import ConfigError, MissingExtraError
from auditor.values.image import Header, Pixels
from auditor.values.measurement import EVERYTHING
from auditor.view import View, view_of

INSTALLED = all(find_spec(package) for package in recognition.MADE_OF)


def view(text: str, seed: int = 0) -> View:
    base = gaussian_filter(np.random.default_rng(seed).normal(0, 1, (400, 400)), 20)
    image = Image.fromarray(((base - base.min()) / np.ptp(base) * 120).astype(np.uint8))
    ImageDraw.Draw(image).text((6, 6), text, fill=255, font=ImageFont.load_default(20))
    array = np.asarray(image)
    return view_of(Header(format="png", shape=array.shape), Pixels(array=array[None]))


def says(monkeypatch: pytest.MonkeyPatch, answer: object) -> list[npt.NDArray[np.uint8]]:
    """A recogniser that answers so, and what it was shown."""
    shown: list[npt.NDArray[np.uint8]] = []

    def recogniser(picture: npt.NDArray[np.uint8]) -> Any:
        shown.append(picture)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(recognition, "recogniser", lambda: recogniser)
    return shown


def test_the_recogniser_looks_at_suspects_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = says(monkeypatch, 7)
    assert measure(view("")).tolist() == [0]
    assert shown == []
    suspect = view("ID 4711 1956")
    assert measure(suspect).tolist() == [7]
    assert np.array_equal(shown[0], suspect.fine)


def test_a_recogniser_that_fails_is_told_and_costs_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, RuntimeError("of somebody else's library"))
    assert measure(view("ID 4711 1956")).tolist() == [FAILED]
    says(monkeypatch, MemoryError())
    with pytest.raises(MemoryError):  # the worker says that it is starved, as for every file
        measure(view("ID 4711 1956"))


def test_recognised_letters_add_to_long_rows_and_take_none_away() -> None:
    rows = np.array([0, 5, 8, BURNED, BURNED, np.nan, 8])
    letters = np.array([0, LEAST_READ, LEAST_READ - 1, 0, 9, np.nan, FAILED])
    assert burned(rows, letters).tolist() == [False, True, False, True, True, False, False]
    assert burned(rows, None).tolist() == [False, False, False, True, True, False, False]


def test_it_is_measured_on_demand_alone() -> None:
    assert "recognition" not in usual_features()
    assert "recognition.letters" not in feature_columns()
    assert "recognition" not in feature_version()
    assert wanted_of({"pixels"}) == EVERYTHING
    assert wanted_of({"features.lettering"}, ocr=True).features == {"lettering", "recognition"}
    assert wanted_of({"features.zones"}, ocr=True).features == {"zones"}
    for needed in ({"pixels"}, {"features"}):
        assert "recognition.letters" in feature_columns(wanted_of(needed, ocr=True).features)


@pytest.mark.parametrize("package", recognition.MADE_OF)
def test_without_its_packages_one_line_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, package: str) -> None:
    monkeypatch.setattr(recognition, "find_spec", lambda name: None if name == package else object())
    with pytest.raises(MissingExtraError, match=rf"--ocr needs {package}: pip install 'medaudit\[ocr\]'"):
        plan_for(tmp_path, ocr=True)
    plan_for(tmp_path)


def test_without_pixels_there_is_nothing_to_recognise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--no-pixels"):
        plan_for(tmp_path, ocr=True, pixels=False)


def test_nobody_imports_the_recogniser_who_was_not_asked_to_recognise() -> None:
    code = (
        "import sys, auditor.scan, auditor.measuring.setup as s; s.import_all()\n"
        f"sys.exit(any(name in sys.modules for name in {recognition.MADE_OF!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.skipif(not INSTALLED, reason="the extra ocr is not installed")
def test_the_real_recogniser_reads_letters_and_no_background() -> None:
    code = (
        "import numpy as np, cv2\n"
        "from auditor.features.recognition import recogniser\n"
        "blank = np.full((300, 400), 40, np.uint8)\n"
        "text = cv2.putText(blank.copy(), 'DOE JANE', (10, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 2)\n"
        "print(recogniser()(blank), recogniser()(text))\n"
    )  # in a process of its own: its libraries warn, and start threads
    done = subprocess.run([sys.executable, "-c", code], check=True, timeout=120, capture_output=True, text=True)
    blank, letters = map(int, done.stdout.split())
    assert blank == 0
    assert letters >= 5
    assert "DOE" not in done.stdout + done.stderr
