"""The event that a source stores of an unreadable delivery."""

from translators.kit import Delivery, Source
from webhooks.sources.runtime import SourceRuntime
from webhooks.sources.unreadable import MALFORMED_TYPE


def problem(source: Source, delivery: Delivery) -> str:
    """Return why the only event of a delivery could not be read; its key is a digest, its bytes are the delivery's."""
    (event,) = SourceRuntime(source).receive(delivery)
    assert (event.type, event.clock) == (MALFORMED_TYPE, "received")
    assert event.id.startswith("sha256:")
    assert event.raw in delivery.body or b"SessionId" in event.raw, "only Salesforce's session is cut out"
    assert event.problem
    return event.problem
