"""The group of all commands. Expected errors are printed as message, cause and hint, never as a traceback."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from keyword import iskeyword
from typing import Any, Final

import click

from webhooks.cli.output import Failure
from webhooks.cli.plugin_option import plugin_option
from webhooks.errors import SegueError

COMMANDS: Final = {
    "demo": "webhooks.cli.demo",
    "init": "webhooks.cli.init",
    "serve": "webhooks.cli.serve",
    "web": "webhooks.cli.serve",
    "work": "webhooks.cli.serve",
    "check": "webhooks.cli.check",
    "settings": "webhooks.cli.settings",
    "doctor": "webhooks.cli.doctor",
    "status": "webhooks.cli.status",
    "alerts": "webhooks.cli.alerts",
    "events": "webhooks.cli.events",
    "show": "webhooks.cli.show",
    "dead": "webhooks.cli.dead",
    "replay": "webhooks.cli.replay",
    "drop": "webhooks.cli.drop",
    "tail": "webhooks.cli.tail",
    "audit": "webhooks.cli.audit",
    "prune": "webhooks.cli.prune",
    "export": "webhooks.cli.export",
    "import": "webhooks.cli.import_",
    "reencrypt": "webhooks.cli.reencrypt",
    "migrate": "webhooks.cli.migrate",
    "move": "webhooks.cli.move",
    "namespace": "webhooks.cli.namespace",
    "sources": "webhooks.cli.sources",
    "translate": "webhooks.cli.translate",
    "send": "webhooks.cli.send",
    "trigger": "webhooks.cli.trigger",
    "register": "webhooks.cli.register",
    "catalog": "webhooks.cli.catalog",
    "new-source": "webhooks.cli.new_source",
}
WITH_PLUGINS: Final = frozenset({
    "init", "serve", "web", "work", "check", "settings", "doctor", "events", "show", "dead", "replay", "drop", "tail",
    "export", "sources", "translate", "send", "trigger", "register", "catalog",
})  # fmt: skip
"""Commands that load sources or take the name of one: each has `--plugin`."""


class Commands(click.Group):
    """Import a command's module only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a new user needs them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, or fail with the name of the closest one."""
        if cmd_name not in COMMANDS and ctx.resilient_parsing:
            return None  # the shell completes a line with a mistake in it
        if cmd_name not in COMMANDS:
            close = get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f"did you mean `segue {close[0]}`?" if close else f"choose from {', '.join(COMMANDS)}"
            ctx.fail(f"There is no command {cmd_name!r}: {hint}")
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(COMMANDS[cmd_name]), f"{name}_" if iskeyword(name) else name)
        if cmd_name in WITH_PLUGINS and all(parameter.name != "plugin" for parameter in command.params):
            command.params.append(plugin_option())
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Turn the service's errors into failures with a hint."""
        try:
            return super().invoke(ctx)
        except SegueError as error:
            raise Failure(error) from error


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Documentation: docs/, or share/doc/segue/ in the environment. Each command has --help with examples.",
)
@click.version_option(package_name="segue", message="segue %(version)s")
def main() -> None:
    """Segue receives signed webhooks, stores them, and delivers them to Segment with their original timestamps.

    \b
    New here?  See it work, with no account anywhere:
      segue demo

    \b
    Then for real:
      export SEGMENT_WRITE_KEY=...         # of an HTTP API source in Segment
      export STRIPE_WEBHOOK_SECRET=...     # of the endpoint in Stripe's dashboard
      segue check                          # is everything right?
      segue serve                          # and point Stripe at https://<this host>/webhooks/stripe
    """  # noqa: D301 - \b is click's mark for a paragraph that is not rewrapped
