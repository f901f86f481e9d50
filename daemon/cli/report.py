"""`pullback report`: everything that is known, on one page for a browser. Changes nothing but the file it writes."""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli import show
from daemon.cli.session import Session, known_athlete
from daemon.errors import UserError

FILE = Path("pullback-report.html")


def command(
    context: typer.Context,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; - for standard output.")
    ] = FILE,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write the verdict, the plots and every run to one HTML page that needs no network."""
    to_stdout = str(output) == "-"
    if to_stdout and open_it:
        raise typer.BadParameter("standard output can't be opened; name a file with -o", param_hint="--open")
    text = _page(context.obj)
    if to_stdout:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # as the page says of itself, whatever the terminal speaks
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UserError(f"can't write {output}: {why}; name another file with -o, or use -o - > FILE") from None
    show.out([show.Line(f"Written to {output.resolve()}")])
    if open_it:
        import webbrowser

        if not webbrowser.open(output.resolve().as_uri()):
            raise UserError(f"found no browser here; open {output.resolve()} in one")


def _page(session: Session) -> str:
    from daemon.evaluate.looking import look
    from daemon.report.page import page  # templates: no other command needs them

    config = session.config()
    with session.store() as store:
        data = look(store, known_athlete(store), config, session.clock.now())
    if data is None:
        raise UserError("there is nothing to show yet; fetch your runs with `pullback sync`, or `pullback import` them")
    return page(data)
