"""The command line: one file per command, loaded only when it is called, and one door for errors.

Nothing heavy may be imported here: `pullback --help` must answer at once.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import daemon
from daemon.cli import door, show
from daemon.cli.session import Session
from daemon.clock import SystemClock

_SLIP: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""What everything typed wrong is. Typer gives it no name of its own, and has moved it before."""

COMMANDS = {
    "demo": "Watch two simulated runners start speed work; needs nothing.",
    "init": "Write a commented configuration.",
    "auth": "Let pullback read your runs from Strava.",
    "sync": "Fetch new runs once, judge them, and send what is waiting.",
    "import": "Take in a Strava export, or FIT, TCX and GPX files.",
    "run": "Run the daemon in the foreground.",
    "status": "Show the verdict and what it rests on.",
    "runs": "List every run with its kind, or why it was left out.",
    "explain": "Explain one run: how it was read, and what it was compared with.",
    "feel": "Say how a run felt; it counts as evidence.",
    "ack": "Answer a warning, or say what was up with some days.",
    "snooze": "Have nothing sent for a while, such as 7d.",
    "resume": "End a snooze.",
    "check": "Check everything that must be right, all problems at once.",
    "test-alert": "Send an invented alert through every channel.",
    "backup": "Copy the database to a file.",
    "forget": "Withdraw access at Strava and delete everything pullback holds.",
    "replay": "Walk the stored history and show what would have been sent.",
    "report": "Write everything to one page for a browser.",
}


CONFIG = (
    "The configuration file to use. Default: the first of $PULLBACK_CONFIG, /etc/pullback/config.toml and "
    "~/.config/pullback/config.toml that there is."
)


class Plain(TyperCommand):
    """Shows arguments as they are written down, without types that say nothing to a runner."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return ["[OPTIONS]", *(param.metavar or "" for param in self.params if param.param_type_name == "argument")]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for title, records in explained(self, ctx).items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def explained(command: Any, context: Any) -> dict[str, list[tuple[str, str]]]:
    """A command's arguments and options, each with its line of help."""
    params = command.get_params(context)
    arguments = [(p.metavar, p.help or "") for p in params if p.param_type_name == "argument"]
    options = [p.get_help_record(context) for p in params if p.param_type_name == "option"]
    return {"Arguments": arguments, "Options": [record for record in options if record]}


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
        # `import` is a word of the language's own.
        name = "import_" if cmd_name == "import" else cmd_name.replace("-", "_")
        module = importlib.import_module(f"daemon.cli.{name}")
        single = _app(add_completion=False)
        single.command(cmd_name, cls=Plain)(module.command)
        return typer.main.get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _app(**settings: Any) -> typer.Typer:
    return typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, **settings)


app = _app(cls=LazyGroup, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pullback {daemon.__version__}")
        raise typer.Exit


@app.callback()
def pullback(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", metavar="PATH", help=CONFIG)] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Notices when speed work starts to cost a runner's easy runs, and says so.

    To see what it does: `pullback demo`. For your own runs: `pullback init`, `auth`, `check`, then `sync` now and then,
    or `run` for good. Each command explains itself: `pullback sync --help`.
    """
    context.obj.config_option = config


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code: 0 done, 1 expected problem, 2 usage, 3 bug, 130 interrupted."""
    session = Session(environ=os.environ, clock=SystemClock())
    return door.run(lambda: _run(arguments, session), session)


def _run(arguments: Sequence[str], session: Session) -> Any:
    """The command's exit code, None where it is done. Leaves through SystemExit after a slip, as --help does."""
    group = typer.main.get_command(app)
    try:
        return group.main(list(arguments), prog_name="pullback", obj=session, standalone_mode=False)
    except typer.Abort:
        show.say("Aborted!", sys.stderr)
        sys.exit(1)
    except _SLIP as error:
        # By itself it would be written past the terminal's edge, and break within words.
        text = StringIO()
        error.show(text)
        show.say(text.getvalue().rstrip("\n"), sys.stderr)
        sys.exit(error.exit_code)
