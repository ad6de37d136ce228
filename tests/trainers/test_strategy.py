"""How a strategy is found by its name."""

import subprocess
import sys

import pytest

from auditor.plugins import own_names
from auditor.values.errors import ConfigError
from trainers.strategy import strategy_classes, strategy_named


def test_each_is_found_by_its_name_whether_its_module_is_called_so_or_not() -> None:
    kinds = {kind.name: kind for kind in strategy_classes()}

    assert set(own_names("trainers.strategies")) <= set(kinds)
    assert "weak-threshold" in kinds
    assert all(type(strategy_named(name)) is kind for name, kind in kinds.items())


def test_the_name_of_no_strategy_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is none of that name"):
        strategy_named("__init__")


def test_whoever_wants_one_does_not_wait_for_the_others() -> None:
    code = (
        "import sys; from trainers.strategy import strategy_named; strategy_named('deduplicate'); "
        "print([m for m in ('trainers.strategies.teacher', 'pydicom', 'scipy.optimize', 'torch') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
