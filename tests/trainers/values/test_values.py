"""The values that flow through a correction are plain: loading them costs no framework."""

import subprocess
import sys


def test_loading_the_values_loads_neither_torch_nor_the_rooms_that_use_them() -> None:
    code = (
        "import sys\n"
        "import trainers.values.pictures, trainers.values.recipe, trainers.values.task, trainers.values.trust\n"
        "print(sorted({'torch', 'monai', 'trainers.engine', 'trainers.tasks'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
