"""The recipe that runs one of LibCST's own codemods by name, file by file, in memory.

Only commands of `libcst.codemod.commands` are run: importing any other module would run a stranger's code outside of
the sandbox, and `dev-agent run -- python -m libcst.tool codemod …` runs it inside. What a command makes of a file is
taken if it parses, not more: some of them change what a program does, and the gates decide about that.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import shlex
from typing import TYPE_CHECKING, Any, Final, NoReturn

from dev_agent.recipes.files import Files, counted
from dev_agent.recipes.model import Declined, Place, Rewritten
from dev_agent.recipes.source import Edit, Source, Spoiled
from dev_agent.recipes.sweep import narrow
from dev_agent.recipes.wording import Phrases
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from libcst.codemod import CodemodCommand

    from dev_agent.recipes.model import Bench, Job

_PHRASES: Final = Phrases(
    r"(?:(?:run|apply) )?(?:the )?(?:libcst )?codemod (?P<name>[\w.]+)"
    r"(?P<options>(?: --[\w-]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s'\"]+))?)*)"
)
_PACKAGE: Final = "libcst.codemod.commands"
_OUTSIDE: Final = (
    "Others run in the sandbox: dev-agent run -- python -m libcst.tool codemod --no-format {name} PATH"
)
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class StockCodemod:
    """Run a LibCST codemod by name."""

    name: str = "codemod"
    summary: str = "run one of LibCST's own codemods by name, with its options as --option=value"
    examples: tuple[str, ...] = (
        "codemod convert_namedtuple_to_dataclass.ConvertNamedTupleToDataclassCommand",
        "run codemod convert_type_comments.ConvertTypeComments --no-quote-annotations in src/app.py",
        "codemod ensure_import_present.EnsureImportPresentCommand --module=typing --entity=Any",
    )

    def read(self, task: str) -> Job | Declined | None:
        """See `Recipe.read`."""
        meant = _PHRASES.match(task)
        if meant is None:
            return None
        name = meant.groups["name"].removeprefix(_PACKAGE + ".")
        if name.rpartition(".")[2] == "RenameCommand":
            return Declined(
                code="use_rename_recipe",
                message="LibCST's RenameCommand renames uses and leaves definitions behind; it is not run.",
                hint='Say it as a task: dev-agent apply "rename OLD to NEW" renames both, across the project.',
            )
        return StockJob(name, tuple(shlex.split(meant.groups["options"])), meant.where)


@dataclass(frozen=True, slots=True)
class StockJob:
    """See `StockCodemod`."""

    name: str
    options: tuple[str, ...] = ()
    where: str = ""

    @property
    def title(self) -> str:
        """See `Job.title`."""
        return " ".join(
            ["run LibCST's codemod", self.name, *self.options, *(["in", self.where] if self.where else [])]
        )

    def work(self, bench: Bench) -> Rewritten | Declined:
        """See `Job.work`."""
        known = commands()
        full = [name for name in known if self.name in {name, name.rpartition(".")[2]}]
        if len(full) != 1:
            return Declined(
                code="no_such_codemod",
                message=f"{self.name} is none of LibCST's own codemods, and no other is run here: "
                "importing it would run its code outside of the sandbox.",
                hint=f"There are: {', '.join(known)}. {_OUTSIDE.format(name=self.name)}",
            )
        command = known[full[0]]
        arguments = _arguments(command, self.options)
        if isinstance(arguments, str):
            return Declined(
                code="bad_codemod_options", message=f"{full[0]}: {arguments}", hint=_usage(full[0], command)
            )
        narrowed = narrow(bench, self.where)
        return narrowed if isinstance(narrowed, Declined) else _swept(narrowed, command, arguments)


def commands() -> dict[str, type[CodemodCommand]]:
    """LibCST's own commands by the names its tool knows them by, without RenameCommand."""
    package = importlib.import_module(_PACKAGE)
    base = importlib.import_module("libcst.codemod").CodemodCommand
    found: dict[str, type[CodemodCommand]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            continue
        loaded = importlib.import_module(f"{_PACKAGE}.{module.name}")
        for name, value in vars(loaded).items():
            own = (
                inspect.isclass(value)
                and value.__module__ == loaded.__name__
                and not inspect.isabstract(value)
            )
            if own and issubclass(value, base) and not name.startswith("_") and name != "RenameCommand":
                found[f"{module.name}.{name}"] = value
    # A class others of its module build on is no command.
    bases = {parent for command in found.values() for parent in command.__mro__[1:]}
    return {name: command for name, command in sorted(found.items()) if command not in bases}


class _Refused(Exception):
    """Options a command does not take."""


class _Options(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say it to the caller: argparse itself would end the process."""
        raise _Refused(message)


def _parser(command: type[CodemodCommand]) -> _Options:
    parser = _Options(prog="codemod", add_help=False, allow_abbrev=False)
    command.add_args(parser)
    return parser


def _arguments(command: type[CodemodCommand], options: tuple[str, ...]) -> dict[str, Any] | str:
    """The arguments of a command, or what is wrong with its options."""
    try:
        return vars(_parser(command).parse_args(options))
    except (_Refused, argparse.ArgumentError) as error:
        return str(error)


def _usage(name: str, command: type[CodemodCommand]) -> str:
    options = _parser(command).format_usage().removeprefix("usage: codemod").strip()
    return f"It is written: codemod {name} {options}".replace("\n", " ").strip()


def _swept(bench: Bench, command: type[CodemodCommand], arguments: Mapping[str, Any]) -> Rewritten:
    """Run a command over all files."""
    files = Files(bench)
    changed: dict[str, bytes | None] = {}
    places: list[Place] = []
    warnings: list[str] = []
    for path, source in files.candidates(lambda content: bool(content.strip())):
        try:
            new, said = _transformed(path, source, command, arguments)
        except (_Refused, Spoiled) as error:
            places.append(Place(path=path, line=0, text=f"left as it was: {error}"))
            continue
        warnings += (f"{path}: {text}" for text in said)
        if new.text != source.text:
            changed[path] = new.content()
    notes = [counted(len(changed), "file") + " changed"] if changed else []
    if places:
        notes.append(f"{counted(len(places), 'file')} left as it was, because the codemod failed on it")
    return Rewritten(
        files=changed,
        notes=(*notes, *files.notes(), *warnings[:_SHOWN]),
        places=tuple([*places, *files.unreadable.values()][:_SHOWN]),
    )


def _transformed(
    path: str, source: Source, command: type[CodemodCommand], arguments: Mapping[str, Any]
) -> tuple[Source, list[str]]:
    """What a command makes of a file, and its warnings. Raises _Refused if it fails, Spoiled if it spoils the file."""
    from libcst.codemod import (  # noqa: PLC0415 -- slow; only this recipe needs it
        CodemodContext,
        TransformExit,
        TransformFailure,
        TransformSuccess,
        transform_module,
    )

    module = path.removesuffix(".py").removeprefix("src/").replace("/", ".").removesuffix(".__init__")
    package = module if path.endswith("/__init__.py") else module.rpartition(".")[0]
    context = CodemodContext(filename=path, full_module_name=module, full_package_name=package)
    result = transform_module(command(context, **arguments), source.text)
    if isinstance(result, TransformExit):
        raise KeyboardInterrupt
    if isinstance(result, TransformFailure):
        raise _Refused(f"{type(result.error).__name__}: {result.error}".splitlines()[0])
    if not isinstance(result, TransformSuccess):
        return source, list(result.warning_messages)
    new = source.edited([Edit(0, len(source.text), result.code)])
    return new, list(result.warning_messages)
