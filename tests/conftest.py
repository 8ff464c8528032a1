"""How every test runs: Hypothesis without deadlines, since speed is for `make bench`, and thorough on demand."""

from hypothesis import HealthCheck, settings

settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("usual"), max_examples=3000)
settings.load_profile("usual")
