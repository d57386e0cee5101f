"""What holds for all tests."""

from hypothesis import settings

# The same examples each time, and no opinion on how fast a busy machine is.
settings.register_profile("tests", deadline=None, derandomize=True, database=None)
settings.load_profile("tests")
