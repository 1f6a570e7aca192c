"""Fields for secrets that the operator creates."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from marshmallow import ValidationError

from webhooks.settings.fields import Secrets


class Tokens(Secrets):
    """Bearer tokens that are too long to be guessed."""

    def read(self, value: Any) -> tuple[str, ...]:
        secrets = super().read(value)
        if any(len(token) < 16 or not token.isascii() for token in secrets):
            raise ValidationError(
                "is short enough to be guessed: give 16 or more ASCII characters, such as from `openssl rand -hex 16`"
            )
        return secrets


class SigningSecrets(Secrets):
    """Secrets of Standard Webhooks: `whsec_` and base64 of 24 to 64 bytes."""

    def read(self, value: Any) -> tuple[str, ...]:
        secrets = super().read(value)
        for secret in secrets:
            try:
                valid = secret.startswith("whsec_") and 24 <= len(b64decode(secret[6:], validate=True)) <= 64
            except ValueError:
                valid = False
            if not valid:
                raise ValidationError(
                    "is not a secret of Standard Webhooks: give whsec_ and the base64 of 24 to 64 random bytes, "
                    "such as whsec_$(openssl rand -base64 32)"
                )
        return secrets
