"""The command line, `segue`: one module a command; each imports what is heavy only when it runs."""
