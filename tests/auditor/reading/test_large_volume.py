"""A sound volume of ordinary size goes through a worker with the limits that it usually has."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

import medaudit


@pytest.mark.slow
def test_a_volume_of_200_mib_with_negative_values_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nibabel.openers.Opener, "default_compresslevel", 1)
    volume = np.full((512, 512, 400), -1000, np.int16)
    volume[100:400, 100:400] = 40
    nibabel.Nifti1Image(volume, np.diag([0.7, 0.7, 1.0, 1.0])).to_filename(tmp_path / "ct.nii.gz")
    result = medaudit.scan(tmp_path, select=["IN001"], cache=False, workers=1)
    (found,) = result.outcomes
    assert (found.status, [finding.message for finding in result.findings]) == ("passed", [])
