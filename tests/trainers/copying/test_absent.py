"""What a copy's table cannot hold is told, so that nobody takes it for looked at."""

import json
from pathlib import Path

from copies import picture, scanned
from PIL import Image

from auditor.values.corrections import Proposal


def write(root: Path, *, boxes: bool) -> None:
    for number in range(4):
        root.mkdir(exist_ok=True)
        Image.fromarray(picture(number)).save(root / f"{number}.png")
    place = {"bbox": [1, 2, 3, 4]} if boxes else {}
    told = {
        "images": [{"id": i, "file_name": f"{i}.png"} for i in range(4)], "categories": [{"id": 1, "name": "cell"}],
        "annotations": [{"id": i, "image_id": i, "category_id": 1} | place for i in range(4)],
    }  # fmt: skip
    (root / "i.json").write_text(json.dumps(told))


def test_boxes_that_a_made_table_does_not_hold_are_told_as_absent(tmp_path: Path) -> None:
    nothing = Proposal(strategy="nothing", summary="")
    for boxes, absent in ((True, ("boxes",)), (False, ())):
        write(tmp_path / f"{boxes}", boxes=boxes)
        applied = scanned(tmp_path / f"{boxes}").apply(tmp_path / f"copy-{boxes}", nothing)
        assert applied.absent == absent
        assert any("boxes stay in the files" in note for note in applied.notes) == boxes
