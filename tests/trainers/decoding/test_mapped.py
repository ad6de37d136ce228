import errno
import os
from pathlib import Path

import numpy as np
import pytest

from trainers.decoding.mapped import mapped_array


@pytest.mark.parametrize("allocates", [True, False])
@pytest.mark.parametrize("shape", [(3, 1, 5, 4), (0, 7)])
def test_an_array_of_zeros_is_an_npy_file_with_all_its_room(
    shape: tuple[int, ...], allocates: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not allocates:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    array = mapped_array(tmp_path / "a.npy", np.uint16, shape)
    assert (array.shape, array.dtype) == (shape, np.uint16)
    assert not array.any()
    array[:] = 7
    array.flush()
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), np.full(shape, 7, np.uint16))


def test_a_full_disk_is_an_error_before_the_first_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match="No space"):
        mapped_array(tmp_path / "a.npy", np.uint8, (10,))
