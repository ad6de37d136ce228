"""What the name of a file tells: cut as `pathlib` cuts it, in a tenth of its time."""

import random
from pathlib import Path, PurePosixPath

from auditor.measuring.gathered import extension, steps_of
from auditor.measuring.tasks import is_there


def told_by_pathlib(path: PurePosixPath) -> tuple[str, int, int]:
    suffix = path.suffix.lower()
    return (PurePosixPath(path.stem).suffix.lower() + suffix if suffix == ".gz" else suffix), len(path.name), len(path.parts)


def test_a_path_is_cut_as_pathlib_cuts_it() -> None:
    rng = random.Random(0)
    pieces = ("a", ".", "/", ".gz", ".GZ", "..", "b c", ".nii", ".PNG", "é")
    paths = ["".join(rng.choices(pieces, k=rng.randint(1, 7))) for _ in range(5000)]
    for path in (p for p in paths if PurePosixPath(p).name):
        steps = steps_of(path)
        assert (extension(steps[-1]), len(steps[-1]), len(steps)) == told_by_pathlib(PurePosixPath(path)), path


def test_what_cannot_be_looked_at_is_not_taken_for_absent(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "round").symlink_to("round")
    assert is_there(str(tmp_path / "a.png"))
    assert is_there(str(tmp_path / "round"))
    assert not is_there(str(tmp_path / "b.png"))
    assert not is_there(str(tmp_path / "a.png" / "b.png"))
    assert not is_there(str(tmp_path / "a\0.png"))
