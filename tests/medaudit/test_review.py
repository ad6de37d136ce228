"""From a scan to the review page, and from the answers back into the next scan."""

import base64
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from auditor.evidence.labels.review import read_review
from medaudit.cli import main


@pytest.fixture
def scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, set[str]]:
    """A scanned table of 600 labels, of which about 10 % are wrong; the wrong ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 600)
    given = np.where(rng.random(600) < 0.1, 1 - truth, truth)
    p = np.where(rng.random((600, 1)) < 0.9, 0.97, 0.7)
    probabilities = np.where(np.arange(2) == truth[:, None], p, 1 - p)
    np.save("p.npy", probabilities)
    rows = [f"x{i:03d},{['benign', 'malignant'][g]}" for i, g in enumerate(given)]
    Path("labels.csv").write_text("id,label\n" + "\n".join(rows) + "\n")
    assert scan() in (0, 1)
    # whether these labels are wrong cannot be told by the predictions alone: that is what the review is for
    assert json.loads(Path("result.json").read_text())["gate"]["verdict"] == "not enough seen"
    return tmp_path, {f"x{i:03d}" for i in np.flatnonzero(given != truth)}


def scan(*more: str) -> int:
    base = ["scan", "labels.csv", "--label", "label", "--predictions", "p.npy", "--workers", "0", "-q", "-o", "result.json"]
    return main([*base, *more])


def outcome(code: str) -> dict:
    return next(o for o in json.loads(Path("result.json").read_text())["outcomes"] if o["code"] == code)


def answered(wrong: set[str], path: str) -> None:
    """What a reviewer who is always right saves."""
    page = Path("review.html").read_text()
    data = json.loads(re.search(r'id="queue">(.*?)</script>', page, re.DOTALL)[1])
    data["items"] = [json.loads(opened(item["sealed"], number)) for number, item in enumerate(data["items"], 1)]
    identifier = {i["record"]: i["record"] in wrong or record_number(i["record"]) in wrong for i in data["items"]}
    answers = [
        {k: i[k] for k in ("record", "given", "flagged")} | {"answer": "wrong" if identifier[i["record"]] else "right"}
        for i in data["items"]
    ]
    Path(path).write_text(json.dumps({**data["envelope"], "answers": answers}))


def opened(sealed: str, number: int) -> str:
    """As the script of the page does it, once the reader has decided."""
    state, plain = (number * 2654435761 + 97) % 2**32, bytearray()
    for byte in base64.b64decode(sealed):
        state = (state * 1664525 + 1013904223) % 2**32
        plain.append(byte ^ (state >> 24))
    return plain.decode()


def record_number(record: str) -> str:
    """Tables without a record id are named by their row."""
    digits = re.search(r"\d+$", record)
    return f"x{int(digits[0]):03d}" if digits else record


def test_answers_become_a_noise_fraction_with_an_interval(scanned) -> None:
    _, wrong = scanned
    assert main(["review", "result.json"]) == 0
    assert len(Path("queue.csv").read_text().splitlines()) == 1 + 99
    answered(wrong, "answers.json")
    assert scan("--reviewed", "answers.json") in (0, 1)
    metrics = outcome("LN001")["metrics"]
    assert metrics["reviewed_labels"] == 99
    assert metrics["reviewed_noise_fraction_low"] <= len(wrong) / 600 <= metrics["reviewed_noise_fraction_high"]
    assert metrics["unflagged_noise_fraction_bound"] <= 0.08
    assert metrics["flag_precision_fraction"] > 0.7
    assert "were reviewed" in outcome("LN001")["findings"][0]["message"]


def test_a_second_queue_is_fresh(scanned) -> None:
    _, wrong = scanned
    assert main(["review", "result.json"]) == 0
    answered(wrong, "answers.json")
    first = {a.record for a in read_review(Path("answers.json")).answers}
    assert main(["review", "result.json", "--reviewed", "answers.json", "-o", "queue.csv", "--controls", "299"]) == 0
    second = {line.split(",")[1] for line in Path("queue.csv").read_text().splitlines()[1:]}
    assert len(second) >= 299
    assert not first & second


def test_a_review_of_labels_that_were_changed_since_is_left_out(scanned) -> None:
    _, wrong = scanned
    assert main(["review", "result.json"]) == 0
    answered(wrong, "answers.json")
    document = json.loads(Path("answers.json").read_text())
    document["answers"][0]["given"] = "benign" if document["answers"][0]["given"] == "malignant" else "malignant"
    Path("answers.json").write_text(json.dumps(document))
    assert scan("--reviewed", "answers.json") in (0, 1)
    assert "reviewed_labels" not in outcome("LN001")["metrics"]
    assert any("changed since" in note for note in json.loads(Path("result.json").read_text())["dataset"]["notes"])


def test_mistakes_are_told_in_one_line(scanned, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", "result.json", "-o", "review.pdf"]) == 2
    assert "review.pdf" in capsys.readouterr().err
    assert main(["review", "labels.csv"]) == 2
    assert main(["review", "result.json", "--reviewed", "p.npy"]) == 2
    Path("other.json").write_text(
        json.dumps({"format": "medaudit-review", "version": 1, "flagged": 1, "others": 1, "identity": "", "answers": [
            {"record": "nobody", "given": "a", "flagged": True, "answer": "right"}]})
    )  # fmt: skip
    assert scan("--reviewed", "other.json") == 2
    assert "another" in capsys.readouterr().err


def test_a_result_without_a_ranking_cannot_be_reviewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("labels.csv").write_text("id,label\n" + "".join(f"x{i},{'ab'[i % 2]}\n" for i in range(40)))
    assert main(["scan", "labels.csv", "--label", "label", "--workers", "0", "-q", "--no-cache", "-o", "result.json"]) == 0
    capsys.readouterr()
    assert main(["review", "result.json"]) == 2
    assert "no ranking of labels" in capsys.readouterr().err


def test_pictures_are_large_enough_to_judge_where_the_images_are_at_hand(tmp_path: Path) -> None:
    from auditor.values.image import Limits
    from medaudit.reviewing import large_pictures

    rng = np.random.default_rng(0)
    for kind in ("a", "b"):
        (tmp_path / kind).mkdir()
        for i in range(3):
            pixels = rng.integers(0, 4000, (600, 800)).astype(np.uint16)
            Image.fromarray(pixels).save(tmp_path / kind / f"{i}.png")
    found = large_pictures(tmp_path, ["a/0.png", "b/2.png", "nobody"], Limits(), workers=0)
    assert sorted(found) == ["a/0.png", "b/2.png"]
    for picture in found.values():
        shape = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED).shape
        assert max(shape) == 768
