"""Trust: whether a request comes from its provider, unchanged and in time. Meaning is another room."""

from webhooks.signatures.form import misfit
from webhooks.signatures.model import Fault, Request, Verdict
from webhooks.signatures.sign import CannotSign, Signed, sign
from webhooks.signatures.verify import verify

__all__ = ["CannotSign", "Fault", "Request", "Signed", "Verdict", "misfit", "sign", "verify"]
