"""How much burned-in text PH004 sees, and how often it sees text where there is none: `python benchmarks/burned_in.py DATA`.

Backgrounds are real pictures (blood smears, electron microscopy, frames of DICOM files); into each of the half that is
reported a text of known length, size and contrast is drawn at a known corner. Thresholds are those of the check; nothing is
fitted here, and the other half, on which anybody may try things out, is shown with `--development`. Where rapidocr is
installed it looks at suspects alone (rows of 9 letters, and as a trial of 5): does it recognise any letters in them? The text
itself is counted and dropped.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from auditor.features.lettering import BURNED, FEWEST, measure
from auditor.format import open_header, open_pixels, read_source
from auditor.values.errors import MedauditError, UnreadableFile
from auditor.values.image import Header, Limits, Pixels
from auditor.view import view_of

NAMES = ("KUZMENKOVA OXANA 17.08.1953", "SMITH JOHN MRN 4711777", "Elsternwijk Hospital", "DOE JANE", "R 120kV 4mA")
LEAST_READ = 3
"""With fewer letters recognised nothing was."""
Picture = npt.NDArray[np.uint8]


def backgrounds(root: Path, *, odd: bool, most: int) -> Iterator[tuple[str, Picture]]:
    """Kind and grey picture of every second real file, whose shorter side has at least 128 pixels."""
    kinds = {"smear": "images/bccd", "microscopy": "images/em_membrane", "DICOM": "dicom/pydicom_test_files"}
    for kind, folder in kinds.items():
        files = sorted(path for path in (root / folder).rglob("*") if path.suffix.lower() in (".jpg", ".png", ".tif", ".dcm"))
        taken = 0
        for path in files[int(odd) :: 2]:
            if taken == most:
                break
            try:
                source = read_source(path, Limits())
                header = open_header(source, Limits())
                if not header.shape:
                    continue
                gray = view_of(header, open_pixels(source, header, Limits())).gray
            except (UnreadableFile, MedauditError):
                continue
            if min(gray.shape) >= 128 and gray.max() > gray.min():
                taken += 1
                yield kind, (np.clip(gray, 0, 1) * 255).astype(np.uint8)


def drawn(picture: Picture, rng: np.random.Generator, text: str) -> tuple[Picture, int]:
    """The picture with the text in a corner, bright with a dark rim or the other way, and the height of its letters where the
    longer side has 512 pixels."""
    height = int(rng.integers(10, 25))
    size = max(8, round(height * max(picture.shape) / 512))
    image = Image.fromarray(picture)
    font = ImageFont.load_default(size=size)
    left, top, right, bottom = font.getbbox(text)
    x = 4 if rng.random() < 0.5 else max(4, picture.shape[1] - int(right - left) - 6)
    y = 4 if rng.random() < 0.5 else max(4, picture.shape[0] - int(bottom - top) - 10)
    bright = rng.random() < 0.7
    ImageDraw.Draw(image).text(
        (x, y), text, fill=255 if bright else 0, font=font, stroke_width=1, stroke_fill=0 if bright else 255
    )
    return np.asarray(image), height


def letters_in(picture: Picture) -> float:
    """The longest row of letters, as PH004 measures it."""
    header = Header(format="png", fields={}, shape=picture.shape)
    return float(measure(view_of(header, Pixels(array=picture[None])))[1])


def reader() -> Callable[[Picture], int] | None:
    """How many letters are recognised in a picture; None without rapidocr. The text itself is counted and dropped."""
    try:
        from rapidocr import RapidOCR
    except ImportError:
        return None
    logging.disable(logging.WARNING)
    engine = RapidOCR()

    def count(picture: Picture) -> int:
        found = engine(np.repeat(picture[..., None], 3, axis=2))
        return sum(character.isalnum() for text in found.txts or () for character in text)

    return count


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--development", action="store_true", help="the half on which things may be tried out")
    parser.add_argument("--most", type=int, default=40, help="pictures of a kind")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    rng, read = np.random.default_rng(7), reader()
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])

    def count(row: str, picture: Picture) -> None:
        row_of = letters_in(picture)
        recognised = read is not None and row_of >= FEWEST and read(picture) >= LEAST_READ
        told = (True, row_of >= BURNED, row_of >= BURNED and recognised, recognised)
        for place, happened in enumerate(told):
            counts[row][place] += happened

    for kind, picture in backgrounds(asked.data, odd=not asked.development, most=asked.most):
        count(f"no text, {kind}", picture)
        text = NAMES[int(rng.integers(len(NAMES)))]
        written, height = drawn(picture, rng, text)
        long = "9 letters or more" if sum(map(str.isalnum, text)) >= BURNED else "fewer"
        count(f"text, {kind}, {long}, {'14 px or more' if height >= 14 else 'below 14 px'}", written)
    heads = ["pictures", "all", f"rows of {BURNED} (PH004)"]
    heads += [] if read is None else [f"rows of {BURNED}, letters recognised", f"rows of {FEWEST}, letters recognised"]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for row, (total, *found) in sorted(counts.items()):
        shown = [f"{n} ({n / total:.0%})" for n in found[: 1 if read is None else 3]]
        print("| " + " | ".join([row, str(total), *shown]) + " |")


if __name__ == "__main__":
    main()
