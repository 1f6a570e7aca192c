"""Fixtures of the tests of HTTP."""

from support.fake_receivers import certificate

__all__ = ["certificate"]
