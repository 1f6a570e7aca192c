"""What every test may use."""

pytest_plugins = ["translators.testing", "postgres_server"]
