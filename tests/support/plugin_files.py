"""The text of a source in a file, for tests of what is not installed."""

SECRET = "a_secret_of_the_file"


def text(name: str = "filed", event: str = "File Read") -> str:
    """Return a module with one source, which signs with an HMAC of the body."""
    return f"""
from translators.kit import Event, Head, HmacBody, Identity, Item, Source, track

{name} = Source("{name}", scheme=HmacBody(header="X-Filed-Signature"))

@{name}.head
def head(item: Item) -> Head:
    return Head(id=item.body.id("id"), type="file.read", occurred_at=item.body.iso("at"))

@{name}.identity
def identity(event: Event) -> Identity:
    return Identity(user_ids=(event.body.id("user"),))

@{name}.on("file.read")
def read(event: Event):
    yield track("{event}", event.body.select("size"))
"""


BODY = b'{"id": "f1", "at": "2026-03-31T12:00:00Z", "user": "u1", "size": 3}'
