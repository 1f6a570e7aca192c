"""Real servers that receive alerts."""

from support.fake_receivers import certificate, hook, smtp

__all__ = ["certificate", "hook", "smtp"]
