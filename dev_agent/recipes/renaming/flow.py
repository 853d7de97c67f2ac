"""A rename from the name to the files: find the symbol, find its uses, refuse what is not sure, write.

The order is that of cost and of certainty: nothing is written into the answer before every place spelled like the old
name has been explained, the new name is known to be free, and nothing dynamic is left.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.python_text import NEWER_SYNTAX, READ_AS
from dev_agent.recipes.model import Declined, Place, Rewritten
from dev_agent.recipes.renaming import conflicts, outside
from dev_agent.recipes.renaming.asking import Asking
from dev_agent.recipes.renaming.by_name import found_by_name
from dev_agent.recipes.renaming.choose import chosen, same_home
from dev_agent.recipes.renaming.infer import Inference
from dev_agent.recipes.renaming.moving import moved
from dev_agent.recipes.renaming.probing import undecided_bases
from dev_agent.recipes.renaming.project import Project, word
from dev_agent.recipes.renaming.reading import read
from dev_agent.recipes.renaming.scopes import How, Scope
from dev_agent.recipes.renaming.seeker import Seeker
from dev_agent.recipes.renaming.source import UnreadableError
from dev_agent.recipes.renaming.strings import Strings
from dev_agent.recipes.renaming.target import Growing
from dev_agent.recipes.renaming.texts import rename_in_texts
from dev_agent.recipes.renaming.uses import Verdict
from dev_agent.recipes.renaming.writing import rewritten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dev_agent.recipes.model import Bench
    from dev_agent.recipes.renaming.asking import Spot
    from dev_agent.recipes.renaming.target import Target
    from dev_agent.recipes.renaming.uses import FileUses, Use

_MOST_PLACES = 50


def rename(bench: Bench, *, old: str, new: str, kind: str = "") -> Rewritten | Declined:
    """Rename a symbol of the tree. Raises what `bench.pause` raises, and CheckerFailed."""
    try:
        return _Renaming(bench, old, new).work(kind)
    except UnreadableError as error:
        return Declined(code="unparsable", message=f"A file cannot be rewritten: {error}.")
    except _RefusedError as refusal:
        return refusal.declined


class _RefusedError(Exception):
    def __init__(self, declined: Declined) -> None:
        super().__init__(declined.message)
        self.declined = declined


def _refuse(code: str, message: str, hint: str, places: Iterable[Place]) -> None:
    """Refuse if there is any place to refuse for."""
    found = tuple(sorted(set(places)))
    if found:
        raise _RefusedError(Declined(code=code, message=message, hint=hint, places=found))


class _Renaming:
    def __init__(self, bench: Bench, old: str, new: str) -> None:
        self._bench, self._old = bench, old
        self._outer, _, self._new = new.rpartition(".")
        self._name = old.rpartition(".")[2]
        self._project = Project(bench)
        self._inference = Inference(self._project)

    def work(self, kind: str) -> Rewritten | Declined:
        files = self._project.mentions(word(self._name))
        self._readable(files)
        growing = Growing(self._inference, files)
        found = chosen(self._inference, growing, self._old, kind, files)
        if isinstance(found, Declined):
            return found
        target, candidate = found
        home = candidate.qualified.rpartition(".")[0]
        if not same_home(home, self._outer):
            return Declined(
                code="would_move",
                message=f"{candidate.qualified} is in {home or 'no package'}, not in {self._outer}: "
                "a rename does not move symbols.",
                hint=f'Give the new name alone: "rename {self._old} to {self._new}".',
            )
        moves = moved(self._bench, self._project, target, self._new)
        if isinstance(moves, Declined):
            return moves
        seeker = Seeker(self._inference, growing, target)
        uses = self._seek(seeker, files)
        self._sure(target, uses)
        self._bases(target)
        texts, mentions = rename_in_texts(self._bench, self._inference, seeker, self._new)
        return self._written(target, uses, texts, moves, mentions)

    def _readable(self, files: list[str]) -> None:
        broken = []
        for count, path in enumerate(files, 1):
            self._bench.pause()
            if count % 50 == 0:
                self._bench.told(f"{count} of {len(files)} files")
            try:
                self._project.file(path)
            except UnreadableError as error:
                broken.append(Place(path=path, line=0, text=str(error)))
        _refuse(
            "unparsable",
            f"{self._name} is mentioned in Python that does not parse as {READ_AS}.",
            "Repair the file, or keep it out of the repository's Python files. If it is right: "
            + NEWER_SYNTAX
            + ".",
            broken,
        )

    def _seek(self, seeker: Seeker, files: list[str]) -> list[FileUses]:
        uses = []
        # A class above may reach the name by a string it puts together, without ever spelling it.
        above = {one for scope in seeker.target.classes for one in self._inference.ancestors(scope)}
        related = [*seeker.target.scopes, *(one for one in above if isinstance(one, Scope))]
        homes = {scope.source.path for scope in related}
        for path in [*files, *sorted(homes - set(files))]:
            self._bench.pause()
            found = read(seeker, path, self._new)
            Strings(self._inference, seeker, self._project.file(path), found, self._new).work()
            uses.append(found)
        return uses

    def _sure(self, target: Target, uses: list[FileUses]) -> None:
        places = _places
        _refuse(
            "not_understood",
            f"There are places spelled {self._name} whose meaning cannot be told.",
            "Rename these by hand first, or write them plainly.",
            [one for file in uses for one in places(file, file.strange)],
        )
        taken = conflicts.taken(self._project, target, self._new) + conflicts.above(self._above(target))
        _refuse(
            "name_taken",
            f"{self._new} is taken where {self._name} is defined.",
            "Choose another name.",
            taken,
        )
        shadowed = [one for file in uses for one in conflicts.shadowed(file, target, self._new)]
        shadowed += conflicts.captured(self._project, target, self._new)
        _refuse(
            "name_taken",
            f"{self._new} means something else where {self._name} is used.",
            "Choose another name.",
            shadowed,
        )
        _refuse(
            "dynamic_use",
            f"{self._name} is found by its name: a fixture, hook, key, dispatched method or automatic value.",
            "Rename by hand, with whatever looks it up.",
            found_by_name(target),
        )
        _refuse(
            "dynamic_use",
            f"{self._name} is, or may be, reached by a string at run time.",
            "Write these as plain attribute access, or rename by hand; a rename cannot follow them.",
            [one for file in uses for one in places(file, file.dynamic)],
        )
        _refuse(
            "mixed_use",
            f"Here {self._name} belongs to this symbol or to another of the same name, depending on the object.",
            "Rename both, or tell the objects apart first.",
            [
                one
                for file in uses
                for one in places(file, [each.line for each in file.uses if each.verdict is Verdict.MIXED])
            ],
        )

    def _above(self, target: Target) -> list[tuple[Scope, str]]:
        related = {above for one in target.classes for above in self._inference.ancestors(one)}
        return [(one, self._new) for one in related if isinstance(one, Scope)]

    def _bases(self, target: Target) -> None:
        """Refuse if a class above the hierarchy, which is not ours to change, defines the old or the new name."""
        for name, told in (
            (self._name, "it cannot be renamed there"),
            (self._new, "the new name is taken by it"),
        ):
            known = {base: outside.defines(base, name) for base in target.outside}
            bad = [base for base, answer in known.items() if answer]
            unknown = {base: target.outside[base] for base, answer in known.items() if answer is None}
            bad += undecided_bases(self._bench, self._inference, unknown, name)
            _refuse(
                "outside_base",
                f"{', '.join(sorted(bad))} from outside the project defines {name}, or may define it: {told}.",
                "Rename by hand if you know that it does not.",
                [
                    conflicts.place(target.outside[base], getattr(target.outside[base].node, "lineno", 0))
                    for base in bad
                ],
            )

    def _written(
        self,
        target: Target,
        uses: list[FileUses],
        texts: dict[str, bytes],
        moves: dict[str, str],
        mentions: list[Place],
    ) -> Rewritten | Declined:
        def build(also: Iterable[Spot]) -> Rewritten:
            return rewritten(uses, self._new, len(self._name), also, texts=texts, moves=moves)

        unknown = self._unknown(target, uses)
        ours = self._decided(target, uses, unknown, build)
        if isinstance(ours, Declined):
            return ours
        result = build(ours)
        back = {to: path for path, to in moves.items()}
        left_out = sorted({back.get(path, path) for path in result.files} | set(moves))
        _refuse(
            "outside_path",
            f"{self._name} is used in files that are not to be touched.",
            "Widen --path, or leave it out.",
            [Place(path=path, line=0) for path in left_out if not self._bench.covers(path)],
        )
        noted = [one for file in uses for one in _places(file, file.noted)] + mentions
        return _with_notes(result, self._name, len(ours), noted)

    def _unknown(self, target: Target, uses: list[FileUses]) -> set[Spot]:
        fields = any(
            one.how is How.ANNOTATED for scope in target.classes for one in scope.bindings.get(self._name, ())
        )
        return {
            (file.source.path, use)
            for file in uses
            for use in file.uses
            if use.verdict is Verdict.UNKNOWN and (not use.keyword or fields)
        }

    def _decided(
        self, target: Target, uses: list[FileUses], unknown: set[Spot], build: object
    ) -> frozenset[Spot] | Declined:
        if not unknown:
            return frozenset()
        ours: frozenset[Spot] = frozenset()
        rest = unknown
        if self._bench.checker is not None:
            self._bench.told(f"asking the type checker about {len(unknown)} places")
            asking = Asking(self._bench.checker, build, uses, self._name, self._new)  # type: ignore[arg-type]
            answer = asking.about(unknown, Rewritten(files={}))
            ours, rest = answer.ours, unknown - answer.ours - answer.others
        rest = {spot for spot in rest if not spot[1].keyword}
        if not target.member and self._has_other_owners():
            return ours
        _refuse(
            "unseen_use",
            f"{self._name} is read from objects whose class cannot be told.",
            "Annotate them, or name what they are; a rename does not guess.",
            [_place(path, use, uses) for path, use in rest],
        )
        return ours

    def _has_other_owners(self) -> bool:
        """Attributes of the name exist elsewhere: an unknown object's is then not the module-level name."""
        types = (str, bytes, int, float, list, dict, set, tuple, type, BaseException)
        if any(hasattr(one, self._name) for one in types):
            return True
        return any(
            Growing.defines(one, self._name)
            for path in self._project.mentions(word(self._name))
            for one in self._project.file(path).classes
        )


def _place(path: str, use: Use, uses: list[FileUses]) -> Place:
    source = next(one.source for one in uses if one.source.path == path)
    line = source.line_at(use.start)
    return Place(path=path, line=line, text=source.line(line).strip())


def _places(file: FileUses, lines: Iterable[int]) -> list[Place]:
    return [
        Place(path=file.source.path, line=one, text=file.source.line(one).strip())
        for one in sorted(set(lines))
    ]


def _with_notes(result: Rewritten, name: str, asked: int, noted: list[Place]) -> Rewritten:
    notes = []
    if noted:
        notes.append(f"{name} also stands in strings, comments and other files, which were left alone.")
    if asked:
        notes.append(f"{asked} uses were told apart by the type checker.")
    return replace(result, notes=tuple(notes), places=tuple(sorted(set(noted)))[:_MOST_PLACES])
