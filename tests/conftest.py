"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# No test depends on the clock: a busy machine draws examples slowly and is not to fail for it.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
