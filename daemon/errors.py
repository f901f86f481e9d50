"""The errors a runner may see. Everything else that is raised is a bug and keeps its traceback."""


class UserError(Exception):
    """An expected problem: one sentence that ends with the next command or key to change (exit code 1)."""

    exit_code = 1


class ConfigError(UserError):
    """The configuration can't be used; carries every problem found, each with its key's path (exit code 2).

    Exit code 2 is what `RestartPreventExitStatus=` of the unit looks for, so that a broken file doesn't loop. `run`
    leaves with it for a database that can't be used, too.
    """

    exit_code = 2

    def __init__(self, problems: tuple[str, ...], where: str = "") -> None:
        self.problems = problems
        self.where = where
        head = f"{where}: " if where else ""
        super().__init__(head + "; ".join(problems))
