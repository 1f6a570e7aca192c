"""`python -m webhooks.cli` is `segue`."""

from webhooks.cli.main import main

main(prog_name="segue")
