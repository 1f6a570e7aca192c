"""What every test may use."""

from hypothesis import settings

pytest_plugins = ["webhooks.testing", "support.postgres_server"]

# A machine that has other work makes one example slow now and then; that says nothing of the code
settings.register_profile("segue", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=15)  # `python3 dev.py test --fast`
settings.load_profile("segue")
