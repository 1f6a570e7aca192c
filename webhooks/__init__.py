"""Segue's service: receives, verifies, journals, translates and delivers webhooks. Effects live here."""
