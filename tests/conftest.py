"""What holds for all tests."""

import atexit
import os
import shutil
import tempfile

from hypothesis import HealthCheck, settings

# No test depends on the clock: a busy machine draws examples slowly and is not to fail for it.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# The key of who runs the tests is not theirs: each process has one of its own.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="medaudit-state-")
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)
