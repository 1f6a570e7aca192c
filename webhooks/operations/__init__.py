"""What an operator does to stored events: the rules, shared by the command line, the HTTP API and the pages.

Nothing here prints, asks or reads options. A plan says what an operation would do, `run` does it, a result has the
counts, and `webhooks.operations.progress` reports how far it is. Refusals are `OperationRefused`, with a hint.
"""
