"""What every test may use."""

import os

import pytest
from hypothesis import settings

from support.ordering import slow_first, worker_count
from support.temporary import temporary_root

pytest_plugins = ["webhooks.testing", "support.postgres_server"]

# A machine that has other work makes one example slow now and then; that says nothing of the code
settings.register_profile("segue", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=15)  # `python3 dev.py test --fast`
settings.load_profile("segue")

if (root := temporary_root()) is not None:
    os.environ["PYTEST_DEBUG_TEMPROOT"] = root  # of tmp_path, in this process and in xdist's workers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow tests, on every worker."""
    slow = [item.path if item.get_closest_marker("slow") else None for item in items]
    items[:] = slow_first(items, slow, worker_count())
