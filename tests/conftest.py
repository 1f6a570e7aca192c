"""What every test may use."""

import os

from hypothesis import settings

from support.temporary import temporary_root

pytest_plugins = ["webhooks.testing", "support.postgres_server"]

# A machine that has other work makes one example slow now and then; that says nothing of the code
settings.register_profile("segue", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=15)  # `python3 dev.py test --fast`
settings.load_profile("segue")

if (root := temporary_root()) is not None:
    os.environ["PYTEST_DEBUG_TEMPROOT"] = root  # of tmp_path, in this process and in xdist's workers
