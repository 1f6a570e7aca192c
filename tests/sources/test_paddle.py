"""Paddle: adjustments and changes of the payment method."""

from typing import Any

import pytest

from support.outcomes import event_names, golden_body, outcome_of
from translators.paddle import paddle
from webhooks.translation.translate import Ignored


def _paddle(case: str, **changes: Any) -> Any:
    body = golden_body(paddle, case)
    body["data"].update(changes)
    return body


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("chargeback", ["Dispute Opened"]),
        ("chargeback_reverse", ["Dispute Funds Reinstated"]),
        ("chargeback_warning", None),
        ("chargeback_warning_reverse", None),
        ("credit", ["Credit Note Created"]),
        ("credit_reverse", ["Credit Note Voided"]),
    ],
)
def test_paddle_adjustment_actions_have_their_own_events(action: str, expected: list[str] | None) -> None:
    outcome = outcome_of(paddle, _paddle("adjustment.created__chargeback", action=action))
    assert isinstance(outcome, Ignored) if expected is None else event_names(outcome) == expected


def test_paddle_change_of_payment_method_is_not_an_order() -> None:
    """Paddle creates a zero-value transaction if a customer changes the payment method."""
    body = _paddle("transaction.completed", origin="subscription_payment_method_change")
    assert isinstance(outcome_of(paddle, body), Ignored)
