"""Fields for secrets of the operator's own making."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from marshmallow import ValidationError

from webhooks.settings.fields import Secrets


class Tokens(Secrets):
    """Long enough that nobody guesses one."""

    def read(self, value: Any) -> tuple[str, ...]:
        found = super().read(value)
        if any(len(token) < 16 or not token.isascii() for token in found):
            raise ValidationError(
                "is short enough to be guessed: give 16 or more letters, as of `openssl rand -hex 16`"
            )
        return found


class SigningSecrets(Secrets):
    """For Standard Webhooks: `whsec_` and base64 of 24 to 64 bytes."""

    def read(self, value: Any) -> tuple[str, ...]:
        found = super().read(value)
        for secret in found:
            try:
                sound = secret.startswith("whsec_") and 24 <= len(b64decode(secret[6:], validate=True)) <= 64
            except ValueError:
                sound = False
            if not sound:
                raise ValidationError(
                    "is no secret of Standard Webhooks: give whsec_ and the base64 of 24 to 64 random bytes, "
                    "such as whsec_$(openssl rand -base64 32)"
                )
        return found
