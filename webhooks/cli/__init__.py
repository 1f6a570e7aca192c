"""The command line, `segue`: one module a command. Slow imports happen only when the command runs."""
