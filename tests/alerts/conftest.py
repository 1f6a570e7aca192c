"""Real servers that receive alerts."""

from fake_receivers import certificate, hook, smtp

__all__ = ["certificate", "hook", "smtp"]
