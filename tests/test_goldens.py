"""Every built-in source passes the same tests as a third-party one."""

from pathlib import Path

from webhooks.sources import plugins
from webhooks.testing import SourceTests

GOLDEN = Path(__file__).parent / "golden"

for _name, _source in plugins.load().sources.items():
    _class = f"Test{_source.title.replace(' ', '')}"
    globals()[_class] = type(_class, (SourceTests,), {"source": _source, "goldens": GOLDEN / _name})
