"""A first look at a dataset, in the cells of a notebook (Jupyter, VS Code and Spyder read the `# %%` lines).

python examples/first_look.py [DATASET]     without one, a tiny flawed dataset is made in the working folder
"""

# %% A dataset: yours, or a tiny one with two flaws
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import medaudit


def tiny_dataset(folder: Path) -> Path:
    """Benign pictures in 8 bits, malignant ones in 16, and one picture under both labels."""
    rng = np.random.default_rng(0)
    for label, kind in (("benign", np.uint8), ("malignant", np.uint16)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(12):
            pixels = rng.integers(0, np.iinfo(kind).max, (24, 24)).astype(kind)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
    (folder / "malignant" / "copy.png").write_bytes((folder / "benign" / "0.png").read_bytes())
    return folder


dataset = Path(sys.argv[1]) if len(sys.argv) > 1 else tiny_dataset(Path("tiny-dataset"))

# %% What it is taken for
opened = medaudit.open_dataset(dataset)
print(f"{opened.size} records, classes {', '.join(opened.labels.classes)}, layout {opened.summary.layout}")

# %% What is wrong with it
result = medaudit.scan(dataset)
print(result)
findings = result.findings_frame()
print(findings.groupby(["severity", "code"]).size())

# %% What was not looked at, and why
checks = result.checks_frame()
print(checks.loc[checks.status == "skipped", ["code", "reason"]].head())

# %% A report to keep
print(medaudit.report(result, "report.html", "result.json"))

# %% What could be done about it; nothing is written
for line in medaudit.fix(dataset, check=True).lines:
    print(line)
