"""The state of a training on a full disk."""

import io
from pathlib import Path
from typing import Any

import pytest
import torch

from auditor.sealed import unsealed
from auditor.values.errors import MedauditError
from trainers.engine import checkpoint

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="the device that is always full is Linux's")
def test_a_full_disk_is_one_clear_line_and_the_old_state_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "robust-0" / "checkpoint.pt"
    checkpoint.save_checkpoint(place, {"signature": "s", "epoch": 1})

    def full(handle: int, mode: str) -> Any:
        checkpoint.os.close(handle)
        return FULL.open(mode)

    monkeypatch.setattr(checkpoint.os, "fdopen", full)
    with pytest.raises(MedauditError, match="robust-0: the state of the training cannot be written; is the disk full"):
        checkpoint.save_checkpoint(place, {"signature": "s", "weights": torch.zeros(100_000)})
    assert [p.name for p in place.parent.iterdir()] == ["checkpoint.pt"]
    monkeypatch.undo()
    kept = unsealed(checkpoint.PURPOSE, place, most_bytes=1 << 20)
    assert torch.load(io.BytesIO(kept), weights_only=True) == {"signature": "s", "epoch": 1}
