import numpy as np
import pytest

from auditor.containers.nifti_header import HEADER_BYTES, read_nifti_header

nibabel = pytest.importorskip("nibabel")


@pytest.mark.parametrize("kind", ["Nifti1Image", "Nifti2Image"])
@pytest.mark.parametrize("code", ["sform", "qform"])
@pytest.mark.parametrize("axes", ["RAS", "LPS", "LAS", "PIR", "SAL", "IRA"])
def test_the_orientation_is_what_nibabel_says(kind: str, code: str, axes: str) -> None:
    orientation = nibabel.orientations.axcodes2ornt(axes)
    turned = nibabel.orientations.inv_ornt_aff(orientation, (5, 6, 7)) @ np.diag([0.7, 0.7, 2.5, 1])
    image = getattr(nibabel, kind)(np.zeros((5, 6, 7), np.int16), None)
    image.header.set_sform(turned, code=1 if code == "sform" else 0)
    image.header.set_qform(turned, code=1 if code == "qform" else 0)
    assert "".join(nibabel.aff2axcodes(image.header.get_best_affine())) == read_nifti_header(head(image)).orientation


def head(image: object) -> bytes:
    return image.to_bytes()[:HEADER_BYTES]


def test_a_header_without_codes_has_no_orientation() -> None:
    assert read_nifti_header(head(nibabel.Nifti1Image(np.zeros((5, 6, 7), np.int16), None))).orientation == ""
