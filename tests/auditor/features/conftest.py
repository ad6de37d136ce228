"""Views of pictures for the tests of the features."""

import numpy as np
import pytest

from auditor.values.image import Header, Pixels
from auditor.view import View


def _view_of(stored, *, gray=None, bits=None):
    stored = np.asarray(stored)
    if gray is None:
        gray = stored.astype(np.float32)
        gray = gray.mean(axis=2) if gray.ndim == 3 else gray
        gray = gray / (255 if stored.dtype == np.uint8 else max(float(gray.max()), 1.0))
    fields = {} if bits is None else {"container.bit_depth": bits}
    header = Header(format="png", shape=stored.shape, fields=fields)
    return View(gray=np.asarray(gray, dtype=np.float32), stored=stored, header=header, pixels=Pixels(array=stored[None]))


ODD = {
    "one pixel": np.array([[7]], dtype=np.uint8),
    "one row": np.arange(50, dtype=np.uint8)[None, :],
    "one column": np.arange(50, dtype=np.uint8)[:, None],
    "small": np.random.default_rng(0).integers(0, 255, (28, 28), dtype=np.uint8),
    "black": np.zeros((64, 64), dtype=np.uint8),
    "white": np.full((64, 64), 255, dtype=np.uint8),
    "sixteen bits": np.random.default_rng(1).integers(0, 4096, (40, 60)).astype(np.uint16),
    "colour": np.random.default_rng(2).integers(0, 255, (33, 20, 3), dtype=np.uint8),
    "signed": np.random.default_rng(3).integers(-1000, 1000, (30, 30)).astype(np.int16),
    "long": np.random.default_rng(4).integers(0, 255, (512, 3), dtype=np.uint8),
}


@pytest.fixture
def view_of():
    """Builds a View from stored pixels; `gray` replaces the normalised picture, `bits` is the declared depth."""
    return _view_of


@pytest.fixture(params=ODD)
def odd(request):
    """Name and stored pixels of a picture at the edge of what there is."""
    return request.param, ODD[request.param]
