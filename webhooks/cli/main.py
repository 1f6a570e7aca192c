"""The group of all commands. Expected errors are printed as message, cause and hint, never as a traceback."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from keyword import iskeyword
from typing import Any, Final, NamedTuple

import click

from webhooks.cli.output import Failure
from webhooks.cli.plugin_option import plugin_option
from webhooks.errors import SegueError


class ListedCommand(NamedTuple):
    """Where a command is defined, and its line in `segue --help`."""

    module: str
    summary: str


COMMANDS: Final = {
    name: ListedCommand(f"webhooks.cli.{module}", summary)
    for name, module, summary in (
        ("demo", "demo", "See it work: real webhooks in, Segment messages out. No account needed."),
        ("init", "init", "Ask a few questions; write a commented segue.toml and a .env to fill in."),
        ("serve", "serve", "Run the web server and the delivery worker together, on one machine."),
        ("web", "serve", "Run only the web server (a Procfile's web process)."),
        ("work", "serve", "Run only the delivery worker (a Procfile's worker process)."),
        ("check", "check", "Check configuration, plugins and journal; each problem with its fix."),
        ("settings", "settings", "Show the effective value of every setting, and where it comes from."),
        ("doctor", "doctor", "Check the whole path: clock, disk, endpoints, public address, Segment, worker."),
        ("status", "status", "Show what is stored, delivered, waiting and dead; workers and write keys."),
        ("alerts", "alerts", "Show current problems; `segue alerts test` tries the alert channels."),
        ("events", "events", "List events: by source, type, state, time, id or text."),
        ("show", "show", "Show one event: headers, body, messages, attempts, state."),
        ("dead", "dead", "Show what could not be delivered, by reason, and what to do about it."),
        ("replay", "replay", "Deliver events again, translated by today's code."),
        ("drop", "drop", "Decide that events are not delivered, with a reason for the audit log."),
        ("tail", "tail", "Follow events as they arrive; resumes from a cursor and skips none."),
        ("audit", "audit", "Show who replayed, dropped, pruned, imported or exported what, when and why."),
        ("prune", "prune", "Delete settled events by state and age, now."),
        ("export", "export", "Write events to a file of JSON lines."),
        ("import", "import_", "Read events from a file of JSON lines that `segue export` wrote."),
        ("reencrypt", "reencrypt", "Encrypt stored bodies with the current key; switch encryption on or off."),
        ("migrate", "migrate", "Upgrade PostgreSQL's tables to this version (a Procfile's release phase)."),
        ("move", "move", "Copy a SQLite journal into PostgreSQL, without loss or duplicates."),
        ("namespace", "namespace", "Show the journal's namespace; --rename changes it."),
        ("sources", "sources", "List every source: how it signs, what it translates, whether it is open."),
        ("translate", "translate", "Show the Segment messages that a payload becomes. Sends nothing."),
        ("send", "send", "Sign a payload as its provider would, and post it."),
        ("trigger", "trigger", "Send a sample event of a source, signed, to a running service."),
        ("register", "register", "Ask a provider's API to send its webhooks here."),
        ("catalog", "catalog", "List every source, event type, message and property."),
        ("new-source", "new_source", "Generate a package with a working source, as a start for your own."),
    )
}
"""Every command, in the order in which a new user needs them; `segue --help` imports none of their modules."""
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
        command: click.Command = getattr(
            import_module(COMMANDS[cmd_name].module), f"{name}_" if iskeyword(name) else name
        )
        if cmd_name in WITH_PLUGINS and all(parameter.name != "plugin" for parameter in command.params):
            command.params.append(plugin_option())
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the commands, without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.summary) for name, listed in COMMANDS.items()])

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
