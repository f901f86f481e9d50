"""The command line: one file per command, loaded only when it is called, and one door for errors.

Nothing heavy may be imported here: `pullback --help` must answer at once.
"""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import daemon
from daemon.cli import door
from daemon.cli.session import Session
from daemon.clock import SystemClock

COMMANDS = {
    "demo": "Watch two simulated runners start speed work; needs nothing.",
    "init": "Write a commented configuration.",
    "auth": "Let pullback read your runs from Strava.",
    "sync": "Fetch new runs once, judge them, and send what is waiting.",
    "run": "Run the daemon in the foreground.",
    "status": "Show the verdict and what it rests on.",
    "runs": "List every run with its kind, or why it was left out.",
    "explain": "Explain one run: how it was read, and what it was compared with.",
    "feel": "Say how a run felt; it counts as evidence.",
    "ack": "Answer a warning, or say what was up with some days.",
    "check": "Check everything that must be right, all problems at once.",
    "test-alert": "Send an invented alert through every channel.",
    "forget": "Withdraw access at Strava and delete everything pullback holds.",
    "replay": "Walk the stored history and show what would have been sent.",
}


class LazyGroup(TyperGroup):
    """Knows each command's name and line of help; imports `daemon.cli.<command>` when it is called."""

    def __init__(self, **settings: Any) -> None:
        # Typer looks here for names to suggest after a slip; the commands themselves come from `get_command`.
        super().__init__(**(settings | {"commands": dict.fromkeys(COMMANDS)}))

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"daemon.cli.{cmd_name.replace('-', '_')}")
        single = _app()
        single.command(cmd_name)(module.command)
        return typer.main.get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _app(**settings: Any) -> typer.Typer:
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **settings)


app = _app(cls=LazyGroup, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pullback {daemon.__version__}")
        raise typer.Exit


@app.callback()
def pullback(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="PATH", help="The configuration file to use.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Notices when speed work starts to cost a runner's easy runs, and says so."""
    context.obj.config_option = config


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code: 0 done, 1 expected problem, 2 usage, 3 bug, 130 interrupted."""
    session = Session(environ=os.environ, clock=SystemClock())
    group = typer.main.get_command(app)
    return door.run(lambda: group.main(list(arguments), prog_name="pullback", obj=session), session)
