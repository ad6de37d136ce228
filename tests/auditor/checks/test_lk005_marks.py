"""What was drawn into pictures: frames, padding, letters and marks of one class."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

import medaudit
from auditor.values.results import Finding, Severity

SIDE = 96
Mark = Callable[[ImageDraw.ImageDraw, np.random.Generator], None]


def tissue(g: np.random.Generator) -> Image.Image:
    """Something soft with a little noise, brighter or darker; nothing that is drawn."""
    coarse = Image.fromarray(g.normal(size=(6, 6)).astype(np.float32)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    values: npt.NDArray[np.float64] = 110 + g.normal(0, 8) + 25 * np.asarray(coarse) + g.normal(0, 5, (SIDE, SIDE))
    return Image.fromarray(np.clip(values, 0, 235).astype(np.uint8))


def frame(draw: ImageDraw.ImageDraw, g: np.random.Generator) -> None:
    for at in range(3):
        draw.rectangle((at, at, SIDE - 1 - at, SIDE - 1 - at), outline=255)


def bars(draw: ImageDraw.ImageDraw, g: np.random.Generator) -> None:
    wide = int(g.integers(5, 20))
    draw.rectangle((0, 0, SIDE, wide), fill=0)
    draw.rectangle((0, SIDE - wide, SIDE, SIDE), fill=0)


def marker(draw: ImageDraw.ImageDraw, g: np.random.Generator) -> None:
    draw.text((SIDE - 18, 3), "R", fill=255, font_size=16)


def writing(draw: ImageDraw.ImageDraw, g: np.random.Generator) -> None:
    draw.text((4, SIDE - 14), "".join(g.choice(list("ABCDEFGHKLMN23456789"), 9)), fill=255, font_size=11)


def ruler(draw: ImageDraw.ImageDraw, g: np.random.Generator) -> None:
    for across in range(6, SIDE - 4, 6):
        draw.line((across, SIDE - 10, across, SIDE - 3), fill=0)


def folders(root: Path, count: int, mark: Mark | None, *, among: str = "cancer", seed: int = 0) -> Path:
    """Two class folders; the pictures of `among` are marked."""
    g = np.random.default_rng(seed)
    for label in ("cancer", "benign"):
        (root / label).mkdir(parents=True)
        for _ in range(count):
            picture = tissue(g)
            if mark is not None and label == among:
                mark(ImageDraw.Draw(picture), g)
            picture.save(root / label / f"{g.integers(1 << 30):08x}.png")
    return root


def told(root: Path) -> tuple[str, list[Finding]]:
    result = medaudit.scan(root, select=["LK005"], workers=0, cache=False)
    return result.gate.verdict, [f for o in result.outcomes if o.verdict for f in o.verdict.findings]


@pytest.mark.parametrize("mark", [frame, bars, marker, writing, ruler])
def test_a_mark_of_one_class_is_an_error_without_any_id(mark: Mark, tmp_path: Path) -> None:
    verdict, findings = told(folders(tmp_path / "set", 60, mark))
    assert verdict == "failed"
    error = next(f for f in findings if f.severity is Severity.ERROR)
    assert error.subject in ("border and padding", "marks and text")
    assert "the interval holds even if every 10 images are one patient's" in error.message
    assert float(str(error.evidence["low_without_ids"])) >= 0.75


@pytest.mark.parametrize("mark", [frame, marker])
def test_in_few_pictures_a_mark_is_no_error_and_no_pass(mark: Mark, tmp_path: Path) -> None:
    verdict, findings = told(folders(tmp_path / "set", 24, mark))
    assert verdict == "not enough seen"
    assert findings
    assert Severity.ERROR not in {f.severity for f in findings}


def test_a_mark_in_both_classes_tells_nothing(tmp_path: Path) -> None:
    root = folders(tmp_path / "set", 60, marker)
    for path in sorted((root / "benign").iterdir()):
        picture = Image.open(path)
        marker(ImageDraw.Draw(picture), np.random.default_rng(0))
        picture.save(path)
    verdict, findings = told(root)
    assert (verdict, findings) == ("passed", [])


def test_padding_of_few_widths_was_added_and_of_many_follows_what_is_shown(tmp_path: Path) -> None:
    """Both classes are padded: by 4 and by 8 lines, or by what the picture leaves."""

    def padded(root: Path, widths: Callable[[str, np.random.Generator], int]) -> set[Severity]:
        g = np.random.default_rng(1)
        for label in ("cancer", "benign"):
            (root / label).mkdir(parents=True)
            for _ in range(60):
                values = np.asarray(tissue(g)).copy()
                values[: widths(label, g)] = 0
                Image.fromarray(values).save(root / label / f"{g.integers(1 << 30):08x}.png")
        return {f.severity for f in told(root)[1] if f.subject == "border and padding"}

    assert Severity.ERROR in padded(tmp_path / "few", lambda label, _: 4 if label == "cancer" else 8)
    many = padded(tmp_path / "many", lambda label, g: int(g.integers(3, 20)) + 12 * (label == "cancer"))
    assert many
    assert Severity.ERROR not in many


def test_sharp_edges_everywhere_are_what_is_shown(tmp_path: Path) -> None:
    """Strong steps in all four corners alike are no mark."""

    def grains(draw: ImageDraw.ImageDraw, g: np.random.Generator) -> None:
        for across, down in g.integers(0, SIDE, (200, 2)).tolist():
            draw.rectangle((across, down, across + 1, down + 1), fill=235)

    findings = told(folders(tmp_path / "set", 60, grains))[1]
    assert findings
    assert Severity.ERROR not in {f.severity for f in findings}


def test_pictures_without_marks_pass(tmp_path: Path) -> None:
    assert told(folders(tmp_path / "set", 60, None)) == ("passed", [])
