"""How much burned-in text PH004 sees, and how often it sees text where there is none: `python benchmarks/burned_in.py DATA`.

Backgrounds are real pictures (blood smears, electron microscopy, frames of DICOM files); into each of the half that is
reported a text of known length, size and contrast is drawn at a known corner. Thresholds are those of the check; nothing is
fitted here, and the other half, on which anybody may try things out, is shown with `--development`. Where the extra `ocr` is
installed the second column is that of `--ocr`, and the last line says what a picture at which it looked cost. `--everything`
lets it look at every picture, as a trial.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from auditor.features.lettering import BURNED, measure
from auditor.features.recognition import LEAST_READ, LEAST_ROW, MADE_OF, recogniser
from auditor.format import open_header, open_pixels, read_source
from auditor.values.errors import MedauditError, UnreadableFile
from auditor.values.image import Header, Limits, Pixels
from auditor.view import View, view_of

NAMES = ("KUZMENKOVA OXANA 17.08.1953", "SMITH JOHN MRN 4711777", "Elsternwijk Hospital", "DOE JANE", "R 120kV 4mA")
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


def seen(picture: Picture) -> View:
    """The picture as features see it."""
    header = Header(format="png", fields={}, shape=picture.shape)
    return view_of(header, Pixels(array=picture[None]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--development", action="store_true", help="the half on which things may be tried out")
    parser.add_argument("--most", type=int, default=40, help="pictures of a kind")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--everything", action="store_true", help="recognise in every picture, also without a row of shapes")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    rng, read = np.random.default_rng(asked.seed), all(map(find_spec, MADE_OF))
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    looks: list[float] = []

    def count(row: str, picture: Picture) -> None:
        view = seen(picture)
        letters = float(measure(view)[1])
        recognised = False
        if read and (letters >= LEAST_ROW or asked.everything):
            start = time.process_time()
            recognised = recogniser()(view.fine) >= LEAST_READ
            looks.append(time.process_time() - start)
        for place, happened in enumerate((True, letters >= BURNED, letters >= BURNED or recognised)):
            counts[row][place] += happened

    for kind, picture in backgrounds(asked.data, odd=not asked.development, most=asked.most):
        count(f"no text, {kind}", picture)
        text = NAMES[int(rng.integers(len(NAMES)))]
        written, height = drawn(picture, rng, text)
        long = "9 letters or more" if sum(map(str.isalnum, text)) >= BURNED else "fewer"
        count(f"text, {kind}, {long}, {'14 px or more' if height >= 14 else 'below 14 px'}", written)
    heads = ["pictures", "all", f"rows of {BURNED} (PH004)", *(["PH004 with --ocr"] if read else [])]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for row, (total, *found) in sorted(counts.items()):
        shown = [f"{n} ({n / total:.0%})" for n in found[: 1 + read]]
        print("| " + " | ".join([row, str(total), *shown]) + " |")
    if looks:
        print(f"looked at {len(looks)} pictures, median {np.median(looks):.2f} s of processor time each")


if __name__ == "__main__":
    main()
