"""What a source keeps of a delivery that it cannot read."""

from translators.kit import Delivery, Source
from translators.kit.unreadable import MALFORMED_TYPE


def problem(source: Source, delivery: Delivery) -> str:
    """Why the one event of a delivery could not be read; it is kept under a digest, with bytes of the delivery."""
    (event,) = source.receive(delivery)
    assert (event.type, event.clock) == (MALFORMED_TYPE, "received")
    assert event.key.startswith("sha256:")
    assert event.raw in delivery.body or b"SessionId" in event.raw, "only Salesforce's session is cut out"
    assert event.problem
    return event.problem
