"""What holds for all tests."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No test depends on the clock: a busy machine draws examples slowly and is not to fail for it.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# The key of who runs the tests is not theirs: each process has one of its own.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="medaudit-state-")
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, which is no part of the repository: a test of it runs only where somebody names the folder.
    So no run of the suite hangs on what happens to lie beside the checkout."""
    named = os.environ.get("MEDAUDIT_REAL_DATA", "")
    if not named:
        pytest.skip("real data are not named (MEDAUDIT_REAL_DATA)")
    return Path(named)
