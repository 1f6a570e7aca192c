"""Segue's translators: a module or a package per provider, from its webhooks to Segment messages.

Everything here is pure: no clock, no network, no Flask, no database. A provider imports the standard library and
`translators.kit`, nothing else (an import contract in pyproject.toml keeps it so).
"""
