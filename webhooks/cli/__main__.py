"""`python -m webhooks.cli` is `segue`."""

from segue import main

main()
