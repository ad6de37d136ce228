"""What trains nothing imports nothing that trains: PyTorch alone takes longer than a small scan."""

import subprocess
import sys

HEAVY = ("torch", "sklearn", "scipy.stats")
RUN = """
import sys
from pathlib import Path
import medaudit
done = medaudit.fix(sys.argv[1], sys.argv[2], strategy=("deduplicate",), workers=0, cache=False)
assert done.comparison is not None
print(",".join(name for name in {heavy!r} if name in sys.modules))
"""


def test_a_strategy_that_trains_nothing_runs_without_pytorch(tmp_path):
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(6):
            picture = Image.fromarray(rng.integers(0, 256, (24, 24), dtype=np.uint8))
            picture.save(tmp_path / "data" / name / f"{name}{i}.png")
            if i == 0:
                picture.save(tmp_path / "data" / name / f"{name}{i}-again.png")
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(heavy=HEAVY), str(tmp_path / "data"), str(tmp_path / "medaudit-out" / "fixed")],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.split() == []
