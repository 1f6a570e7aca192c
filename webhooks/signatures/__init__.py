"""Verification: whether a request comes from its provider, unchanged and in time. Translation is a separate package."""

from webhooks.signatures.diagnose import Allowance
from webhooks.signatures.form import secret_format_error
from webhooks.signatures.model import Fault, RegisteredUrl, Signature, Verdict
from webhooks.signatures.sign import CannotSign, sign
from webhooks.signatures.verify import Verifier, presents, recognise, verify

__all__ = [
    "Allowance",
    "CannotSign",
    "Fault",
    "RegisteredUrl",
    "Signature",
    "Verdict",
    "Verifier",
    "presents",
    "recognise",
    "secret_format_error",
    "sign",
    "verify",
]
