"""The registration of a webhook with a provider that answers as its documentation says."""

from typing import Any

from translators.kit import Call, Payload, Registering, Source

URL = "https://segue.example/webhooks/mine"


def registered(
    source: Source, answers: list[dict[str, Any]], *, url: str = URL, **params: str
) -> tuple[list[Call], str]:
    """Return the calls and the secret of a registration with these responses of the provider."""
    assert source.register is not None
    assert {need.name for need in source.register.needs} == set(params)
    types = sorted(source.handlers)
    run = source.register.run(Registering(url=url, types=types, given=params, secret="made-here"))
    calls = [next(run)]
    for answer in answers:
        try:
            calls.append(run.send(Payload(answer)))
        except StopIteration as done:
            return calls, done.value
    raise AssertionError("it asks for more")
