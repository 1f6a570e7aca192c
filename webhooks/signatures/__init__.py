"""Trust: whether a request comes from its provider, unchanged and in time. Meaning is another room."""

from webhooks.signatures.diagnose import Allowance
from webhooks.signatures.form import misfit
from webhooks.signatures.model import Fault, Request, Signature, Verdict
from webhooks.signatures.sign import CannotSign, Signed, sign
from webhooks.signatures.verify import presents, recognise, verify

__all__ = [
    "Allowance",
    "CannotSign",
    "Fault",
    "Request",
    "Signature",
    "Signed",
    "Verdict",
    "misfit",
    "presents",
    "recognise",
    "sign",
    "verify",
]
