"""How many examples a property is tried on: a quarter by default, all of them with `--hypothesis-profile=full`."""

from hypothesis import HealthCheck, settings

# A busy machine is no fault of the code: no test fails for its time alone.
settings.register_profile("full", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)
settings.register_profile("fast", settings.get_profile("full"), max_examples=25)
settings.load_profile("fast")  # `--hypothesis-profile` is read later, and wins


def examples(number, **others):
    """Settings for a property that the profile `full` tries on this many examples."""
    return settings(max_examples=max(1, number * settings().max_examples // 100), **others)
