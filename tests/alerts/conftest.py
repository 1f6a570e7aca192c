"""Real servers that take alerts."""

from hearers import certificate, hook, smtp

__all__ = ["certificate", "hook", "smtp"]
