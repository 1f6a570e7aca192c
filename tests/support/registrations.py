"""The registration of a webhook with a provider that answers as its documentation says."""

from typing import Any

from translators.kit import Call, Payload, Registering, Source

URL = "https://segue.example/webhooks/mine"


def registered(
    source: Source, answers: list[dict[str, Any]], *, url: str = URL, **params: str
) -> tuple[list[Call], str]:
    """Return the calls and the secret of a registration with these responses of the provider."""
    assert source.declared.registration is not None
    assert {need.name for need in source.declared.registration.needs} == set(params)
    types = sorted(source.declared.handlers)
    run = source.declared.registration.run(Registering(url=url, types=types, values=params, secret="made-here"))
    calls = [next(run)]
    for answer in answers:
        try:
            calls.append(run.send(Payload(answer)))
        except StopIteration as done:
            return calls, done.value
    raise AssertionError("it asks for more")
