"""A baseline from the command line: what was there passes, what is new or worse fails, what is gone is told."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medaudit.cli import main


def dataset(root: Path, copies: int) -> Path:
    """Twelve pictures of two patients a split; `copies` of the training set's stand in the test set too."""
    lines = ["path,label,split,patient"]
    (root / "images").mkdir(parents=True)
    for i in range(12):
        pixels = np.random.default_rng(i).integers(0, 255, (24, 24), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "images" / f"{i:02d}.png")
        lines.append(f"images/{i:02d}.png,{'ab'[i % 2]},{('train', 'test')[i // 6]},p{i:02d}")
    for i in range(copies):
        (root / "images" / f"c{i}.png").write_bytes((root / "images" / f"{i:02d}.png").read_bytes())
        lines.append(f"images/c{i}.png,{'ab'[i % 2]},test,q{i}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def scan(root: Path, out: Path, *more: str) -> tuple[int, dict[str, list[str | None]]]:
    """Exit code, and why each finding is waived, by code."""
    arguments = ["scan", str(root), "--select", "SP", "--select", "MA", "--workers", "0", "--no-cache", "-o", str(out), *more]
    code = main(arguments)
    if not out.is_file():
        return code, {}
    outcomes = json.loads(out.read_text("utf-8"))["outcomes"]
    return code, {o["code"]: [f["waived"] for f in o["findings"]] for o in outcomes if o.get("findings")}


def test_the_findings_of_a_baseline_pass_and_new_ones_fail(tmp_path: Path) -> None:
    first, base = dataset(tmp_path / "a" / "set", copies=1), tmp_path / "base.json"
    code, found = scan(first, base)
    assert code == 1
    assert None in found["SP002"]
    code, found = scan(first, tmp_path / "again.json", "--baseline", str(base))
    assert code == 0
    assert set(found["SP002"]) == {"in the baseline"}
    again = tmp_path / "again.json"
    assert scan(first, tmp_path / "third.json", "--baseline", str(again))[0] == 0, "a scan by a baseline is the next baseline"
    more = dataset(tmp_path / "b" / "set", copies=2)
    code, found = scan(more, tmp_path / "more.json", "--baseline", str(base))
    assert code == 1
    assert {"in the baseline", None} <= set(found["SP002"])
    none = dataset(tmp_path / "c" / "set", copies=0)
    code, found = scan(none, tmp_path / "none.json", "--baseline", str(base))
    assert code == 0
    assert found["MA002"] == [None]


@pytest.mark.parametrize(
    "content", ["{}", "[", '{"schema_version": 999, "outcomes": []}', '{"kind": "comparison"}', "[" * 99999]
)
def test_what_is_no_result_is_one_line_and_exit_2(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.json").write_text(content)
    code, _ = scan(dataset(tmp_path / "set", copies=0), tmp_path / "out.json", "--baseline", str(tmp_path / "bad.json"))
    assert code == 2
    assert "bad.json" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_a_baseline_that_the_dataset_names_for_itself_counts_for_nothing(tmp_path: Path) -> None:
    root = dataset(tmp_path / "set", copies=1)
    assert scan(root, tmp_path / "base.json")[0] == 1
    (root / "base.json").write_bytes((tmp_path / "base.json").read_bytes())
    (root / "medaudit.toml").write_text('[scan]\nbaseline = "base.json"\nper-path-ignores = {"*" = ["SP"]}\n')
    code, found = scan(root, tmp_path / "out.json")
    assert code == 1
    assert None in found["SP002"]
    code, found = scan(root, tmp_path / "named.json", "--config", str(root / "medaudit.toml"))
    assert code == 0
    assert None not in found["SP002"]
