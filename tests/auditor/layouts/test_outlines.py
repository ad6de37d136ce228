"""Outlines in every form in which they lie on disk: the same objects are drawn, and the same planted flaws are found."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
from PIL import Image, ImageDraw

import medaudit
from auditor.checks.ln006 import SuspectBoxes
from auditor.config import Config
from auditor.containers.run_lengths import counts_of_array
from auditor.evidence.objects.raster import drawn
from auditor.layout import Options
from auditor.plan import Plan
from auditor.stage import gather
from auditor.values.dataset import Dataset
from auditor.values.results import ScanResult

HEIGHT, WIDTH, IMAGES, EACH = 60, 90, 12, 3


@dataclass(frozen=True, kw_only=True)
class Object:
    image: int
    label: str
    ring: np.ndarray
    box: tuple[float, float, float, float] | None = None

    @property
    def around(self) -> tuple[float, float, float, float]:
        (x0, y0), (x1, y1) = self.ring.min(axis=0), self.ring.max(axis=0)
        return self.box or (float(x0), float(y0), float(x1 - x0), float(y1 - y0))


def name(image: int) -> str:
    return f"img{image:02}.png"


def objects() -> list[Object]:
    """Three round objects in a row per image, well apart."""
    rng = np.random.default_rng(0)
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    found = []
    for image in range(IMAGES):
        for number in range(EACH):
            reach = rng.uniform(7, 11)
            x, y = 16 + 29 * number + rng.uniform(-3, 3), 30 + rng.uniform(-8, 8)
            ring = np.round(np.c_[x + reach * np.cos(angle), y + reach * np.sin(angle)], 2)
            found.append(Object(image=image, label=("cell", "clot")[number % 2], ring=ring))
    return found


def pictures(root: Path, given: Sequence[Object]) -> None:
    rng = np.random.default_rng(1)
    (root / "images").mkdir(parents=True)
    for image in range(IMAGES):
        canvas = Image.new("L", (WIDTH, HEIGHT), 60)
        for one in given:
            if one.image == image:
                ImageDraw.Draw(canvas).polygon([tuple(corner) for corner in one.ring], fill=170)
        noisy = np.asarray(canvas, float) + rng.normal(0, 8, (HEIGHT, WIDTH))
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(root / "images" / name(image))


def mask_of(one: Object) -> np.ndarray:
    found = drawn((one.ring,), HEIGHT, WIDTH)
    assert not isinstance(found, str)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[found.top : found.top + found.mask.shape[0], found.left : found.left + found.mask.shape[1]] = found.mask
    return mask


def cut(one: Object) -> tuple[int, int, np.ndarray]:
    """Left, top and the mask of an object within its own bounds."""
    mask = mask_of(one)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def coco(root: Path, given: Sequence[Object], *, runs: bool = False) -> None:
    def said(one: Object) -> object:
        if runs:
            return {"size": [HEIGHT, WIDTH], "counts": counts_of_array(mask_of(one)).tolist()}
        return [one.ring.ravel().tolist()]

    names = sorted({one.label for one in given})
    annotations = [
        {"id": n, "image_id": one.image, "category_id": names.index(one.label), "segmentation": said(one), "bbox": one.around}
        for n, one in enumerate(given)
    ]
    listed = [{"id": n, "file_name": name(n), "height": HEIGHT, "width": WIDTH} for n in range(IMAGES)]
    categories = [{"id": n, "name": label} for n, label in enumerate(names)]
    (root / "a.json").write_text(json.dumps({"images": listed, "annotations": annotations, "categories": categories}))


def labelme(root: Path, given: Sequence[Object], *, masks: bool = False) -> None:
    for image in range(IMAGES):
        shapes = []
        for one in (one for one in given if one.image == image):
            if not masks:
                shapes.append({"label": one.label, "shape_type": "polygon", "points": one.ring.tolist()})
                continue
            left, top, mask = cut(one)
            stream = io.BytesIO()
            Image.fromarray(mask).save(stream, "png")
            points = [[left, top], [left + mask.shape[1] - 1, top + mask.shape[0] - 1]]
            told = base64.b64encode(stream.getvalue()).decode()
            shapes.append({"label": one.label, "shape_type": "mask", "points": points, "mask": told})
        size = {"imageHeight": HEIGHT, "imageWidth": WIDTH}
        document = {"version": "5", "flags": {}, "shapes": shapes, "imagePath": name(image), **size}
        (root / "images" / f"{name(image)[:-4]}.json").write_text(json.dumps(document))


def via(root: Path, given: Sequence[Object]) -> None:
    told = {}
    for image in range(IMAGES):
        regions = [
            {
                "shape_attributes": {
                    "name": "polygon", "all_points_x": one.ring[:, 0].tolist(), "all_points_y": one.ring[:, 1].tolist(),
                },
                "region_attributes": {"type": one.label},
            }
            for one in given
            if one.image == image
        ]  # fmt: skip
        told[f"{name(image)}9"] = {"filename": name(image), "size": 9, "regions": regions, "file_attributes": {}}
    (root / "via.json").write_text(json.dumps(told))


def cvat(root: Path, given: Sequence[Object], *, masks: bool = False) -> None:
    lines = ["<annotations>", "<meta></meta>"]
    for image in range(IMAGES):
        lines.append(f'<image id="{image}" name="{name(image)}" width="{WIDTH}" height="{HEIGHT}">')
        for one in (one for one in given if one.image == image):
            label = quoteattr(one.label)
            if masks:
                left, top, mask = cut(one)
                runs = ", ".join(map(str, counts_of_array(mask.T).tolist()))  # along the rows
                place = f'left="{left}" top="{top}" width="{mask.shape[1]}" height="{mask.shape[0]}"'
                lines.append(f'<mask label={label} rle="{runs}" {place}/>')
            else:
                points = ";".join(f"{x},{y}" for x, y in one.ring)
                lines.append(f'<polygon label={label} points="{points}"/>')
        lines.append("</image>")
    (root / "a.xml").write_text("\n".join([*lines, "</annotations>"]))


def yolo(root: Path, given: Sequence[Object]) -> None:
    (root / "labels").mkdir()
    names = sorted({one.label for one in given})
    (root / "data.yaml").write_text(f"names: {names}\n")
    for image in range(IMAGES):
        lines = [
            f"{names.index(one.label)} " + " ".join(f"{v:.6f}" for v in (one.ring / [WIDTH, HEIGHT]).ravel())
            for one in given
            if one.image == image
        ]
        (root / "labels" / f"{name(image)[:-4]}.txt").write_text("\n".join(lines) + "\n")


POLYGONS: dict[str, Callable[..., None]] = {"coco": coco, "labelme": labelme, "via": via, "cvat": cvat, "yolo": yolo}
RUNS: dict[str, Callable[..., None]] = {
    "coco runs": lambda root, given: coco(root, given, runs=True),
    "labelme masks": lambda root, given: labelme(root, given, masks=True),
    "cvat masks": lambda root, given: cvat(root, given, masks=True),
}


def written(root: Path, form: str, given: Sequence[Object]) -> Path:
    pictures(root, objects())
    (POLYGONS | RUNS)[form](root, given)
    return root


def gathered(root: Path) -> Dataset:
    plan = Plan(config=Config(), options=Options(workers=0), workers=0, target=root)
    return gather(plan, asked={"outlines", "fingerprints"}).dataset


def scan_of(root: Path, *codes: str) -> ScanResult:
    return medaudit.scan(root, select=list(codes), cache=False)


@pytest.mark.parametrize("form", [*POLYGONS, *RUNS])
def test_every_form_draws_the_same_objects(tmp_path: Path, form: str) -> None:
    given = objects()
    dataset = gathered(written(tmp_path / "set", form, given))
    assert dataset.drawings is not None
    found = dataset.drawings.objects
    assert list(found["problem"]) == [""] * len(given)
    pixels = {(one.image, one.label): 0 for one in given}
    for one in given:
        pixels[one.image, one.label] += int(mask_of(one).sum())
    labels = dataset.boxes["label"].to_numpy()[found["box"]]
    seen = dict.fromkeys(pixels, 0)
    for record, label, many in zip(found["record"], labels, found["pixels"], strict=True):
        seen[int(Path(record).stem[3:]), label] += int(many)
    assert {key: pytest.approx(many, abs=1) for key, many in pixels.items()} == seen  # YOLO rounds
    assert dataset.drawings.images["components"].notna().sum() == IMAGES
    assert SuspectBoxes().run(dataset).findings == ()


def flawed(form: str) -> tuple[list[Object], list[str]]:
    """The objects with a flaw of each kind that the form can say, and those kinds."""
    given = objects()

    def changed(place: int, ring: object, **more: object) -> None:
        one = given[place]
        given[place] = Object(image=one.image, label=one.label, ring=np.array(ring, float), **more)  # type: ignore[arg-type]

    x, y = given[4].ring.min(axis=0)
    changed(4, [[x, y], [x + 16, y + 16], [x + 16, y], [x, y + 16]])
    changed(8, [[10, 10], [15, 12], [20, 14]])
    changed(13, given[13].ring + np.array([70, 0]))
    given.append(given[20])
    kinds = ["crossed", "doubled", "no area", "outside"]
    given.append(Object(image=given[25].image, label="clot" if given[25].label == "cell" else "cell", ring=given[25].ring))
    kinds.append("two classes")
    if form == "coco":
        one = given[30]
        given[30] = Object(image=one.image, label=one.label, ring=one.ring, box=(1, 1, 9, 9))
        kinds.append("beside its box")
    return given, sorted(kinds)


@pytest.mark.parametrize("form", POLYGONS)
def test_planted_flaws_are_found_in_every_form_and_nothing_else(tmp_path: Path, form: str) -> None:
    given, kinds = flawed(form)
    result = scan_of(written(tmp_path / "set", form, given), "LN006", "IN006")
    (found,) = [outcome for outcome in result.outcomes if outcome.code == "LN006"]
    assert found.verdict is not None
    assert sorted(str(finding.evidence["kind"]) for finding in found.verdict.findings) == kinds
    assert not [f for o in result.outcomes if o.verdict and o.code == "IN006" for f in o.verdict.findings]


def test_an_object_without_an_outline_among_many_that_have_one_is_told(tmp_path: Path) -> None:
    root = written(tmp_path / "set", "coco", objects() + objects())
    told = json.loads((root / "a.json").read_text())
    cells = [n for n, one in enumerate(told["annotations"]) if told["categories"][one["category_id"]]["name"] == "cell"]
    told["annotations"] = [told["annotations"][n] for n in range(IMAGES * EACH)]
    del told["annotations"][cells[3]]["segmentation"]
    (root / "a.json").write_text(json.dumps(told))
    verdict = SuspectBoxes().run(gathered(root))
    assert [finding.evidence["kind"] for finding in verdict.findings] == ["no outline"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([[5, 5, 9, 9]], "fewer than three corners"),
        ({"size": [HEIGHT, WIDTH], "counts": "zzz"}, "run lengths that are none"),
        ({"size": [HEIGHT, WIDTH], "counts": [1, 2]}, "do not add up"),
        ({"size": [7, 7], "counts": [40, 9]}, "which this one is not"),
        ({"counts": [1, 2]}, "without the size"),
        ([["x"] * 6], "no finite numbers"),
        ({"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]}, "without area"),
    ],
)
def test_an_outline_that_is_none_is_told_with_its_reason(tmp_path: Path, said: object, why: str) -> None:
    root = written(tmp_path / "set", "coco", objects())
    told = json.loads((root / "a.json").read_text())
    told["annotations"][7]["segmentation"] = said
    (root / "a.json").write_text(json.dumps(told))
    (finding,) = SuspectBoxes().run(gathered(root)).findings
    assert why in finding.message


def test_boxes_that_cover_each_other_are_one_object_only_where_their_outlines_are(tmp_path: Path) -> None:
    halves = [
        Object(image=0, label="cell", ring=np.array([[10, 10], [40, 10], [10, 40.0]])),
        Object(image=0, label="cell", ring=np.array([[40, 40], [10, 40], [40, 10.0]])),
    ]
    dataset = gathered(written(tmp_path / "set", "coco", halves))
    assert SuspectBoxes().run(dataset).findings == ()


def test_a_document_that_speaks_of_pictures_of_another_size_is_an_error(tmp_path: Path) -> None:
    root = written(tmp_path / "set", "coco", objects())
    told = json.loads((root / "a.json").read_text())
    told["images"][2] |= {"height": 2 * HEIGHT, "width": 2 * WIDTH}
    (root / "a.json").write_text(json.dumps(told))
    (found,) = [outcome for outcome in scan_of(root, "IN006").outcomes if outcome.code == "IN006"]
    assert found.verdict is not None
    assert [(f.where.record, f.severity.value) for f in found.verdict.findings] == [("images/img02.png", "error")]
    assert "drawn on a picture of another size" in found.verdict.findings[0].message


def test_outlines_that_lie_beside_what_they_show_are_found_as_those_of_masks_are(tmp_path: Path) -> None:
    """A set of 60 pictures, two of which have the outlines of elsewhere."""
    rng = np.random.default_rng(3)
    (tmp_path / "images").mkdir()
    listed, annotations = [], []
    for image in range(60):
        canvas = Image.new("L", (120, 120), 50)
        rings = [np.c_[20 + 40 * k + rng.uniform(-4, 4) + 9 * np.cos(ANGLE), 60 + rng.uniform(-30, 30) + 9 * np.sin(ANGLE)]
                 for k in range(3)]  # fmt: skip
        for ring in rings:
            ImageDraw.Draw(canvas).polygon([tuple(corner) for corner in ring], fill=170)
        noisy = np.asarray(canvas, float) + rng.normal(0, 6, (120, 120))
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(tmp_path / "images" / name(image))
        listed.append({"id": image, "file_name": name(image), "height": 120, "width": 120})
        for ring in rings:
            moved = ring + ([11, 0] if image in (7, 31) else [0, 0])
            annotations.append({"image_id": image, "category_id": 1, "segmentation": [moved.ravel().tolist()]})
    told = {"images": listed, "annotations": annotations, "categories": [{"id": 1, "name": "cell"}]}
    (tmp_path / "a.json").write_text(json.dumps(told))
    (found,) = [outcome for outcome in scan_of(tmp_path, "LN005").outcomes if outcome.code == "LN005"]
    assert found.verdict is not None
    shifted = {f.where.record for f in found.verdict.findings if "lie beside" in f.message}
    assert shifted == {"images/img07.png", "images/img31.png"}


ANGLE = np.linspace(0, 2 * np.pi, 24, endpoint=False)
