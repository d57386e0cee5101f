"""One sample store for each test."""

import pytest

from tests.tools.sample import sample_store


@pytest.fixture
def sample():
    return sample_store()
