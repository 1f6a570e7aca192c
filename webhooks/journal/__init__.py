"""The journal keeps facts: the exact bytes of each event, before its sender is answered."""

from webhooks.journal.protocol import Census, Claim, Journal, Row, Settlement, State, Stored

__all__ = ["Census", "Claim", "Journal", "Row", "Settlement", "State", "Stored"]
