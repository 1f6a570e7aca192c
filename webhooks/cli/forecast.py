"""What today's code would make of an event, by the configuration of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webhooks.cli.output import short

if TYPE_CHECKING:
    from webhooks.journal import Row
    from webhooks.operations.forecast import Forecast
    from webhooks.runtime import Runtime


def forecast(row: Row, runtime: Runtime) -> Forecast:
    """Return what a worker would do with an event now."""
    from webhooks.operations import forecast as operation

    return operation.forecast(row, runtime.endpoints, namespace=runtime.namespace)


def summary(outlook: Forecast) -> str:
    """Return a forecast on one line."""
    if outlook.would == "send":
        count = len(outlook.messages)
        return f"send {count} message{'s'[: count != 1]}" + (", the rest refused" if outlook.refused else "")
    return f"{outlook.would}: {short(outlook.reason)}"
