"""What the laws of this package are tried on: contents, trees, changed trees, proposals."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from dev_agent.edits.changes import Change, ChangeSet

Entry = tuple[str, bytes]

# Few distinct lines, so that places are ambiguous often; some that look like markers, headers, fences and placeholders.
LINES = [
    "",
    " ",
    "a",
    "b",
    "  a",
    "a ",
    "\ta",
    "-- a/x",
    "++ b/x",
    "@@ -1 +1 @@",
    "\\ No newline at end of file",
    "diff --git a/x b/x",
    "=======",
    "<<<<<<< SEARCH",
    ">>>>>>> REPLACE",
    "```",
    "...",
    "“q”",
    "\u2028x\x0c",
    "x\r",
    "\ufeffa",
    "-- ",
    "2.39.5",
]
line = st.tuples(st.sampled_from(LINES), st.sampled_from(["\n", "\n", "\n", "\r\n"])).map("".join)
text = st.builds(
    lambda bom, lines, last: bom + "".join(lines) + last,
    st.sampled_from(["", "", "", "\ufeff"]),
    st.lists(line, max_size=14),
    st.sampled_from(["", "", "z", "a"]),
)
content = text.map(lambda value: value.encode())
mode = st.sampled_from(["100644", "100644", "100755"])
path = st.sampled_from(
    [
        "a",
        "b c",
        "d/e",
        "d/f",
        'q"',
        "ä/ö.txt",
        "x.py.txt",
        "\udcff",
        "a.b",
        "-dash",
        "d/g/h",
        "b/a",
        "a1/a",
        "'s",
    ]
)
# Names that no edit may make, but that a base may have.
old_path = st.sampled_from(["tab\t", "new\nline", "back\\slash", "aux", "a:b", "\u202ename"])
entry = st.tuples(mode, content)
tree = st.dictionaries(path | old_path, entry, max_size=6)


@st.composite
def edited(draw: st.DrawFn, base: Entry) -> Entry:
    """An entry made from another by changing a few of its lines."""
    lines = base[1].decode().split("\n")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines)))
        drop = draw(st.integers(0, 2))
        lines[at : at + drop] = draw(st.lists(st.sampled_from(LINES), max_size=2))
    return draw(mode), "\n".join(lines).encode()


@st.composite
def changed(draw: st.DrawFn) -> tuple[dict[str, Entry], dict[str, Entry]]:
    """Two trees, the second made from the first by editing, deleting and adding files."""
    before = draw(tree)
    result: dict[str, Entry] = {}
    for name, value in before.items():
        kind = draw(st.sampled_from(["keep", "edit", "edit", "delete"]))
        if kind == "edit":
            result[name] = draw(edited(value))
        elif kind == "keep":
            result[name] = value
    for name, value in draw(st.dictionaries(path, entry, max_size=2)).items():
        result.setdefault(name, value)
    return before, result


def change_set(before: Mapping[str, Entry], result: Mapping[str, Entry]) -> ChangeSet:
    """The change set that leads from one tree to the other."""
    missing: tuple[None, None] = (None, None)
    return ChangeSet(
        changes=tuple(
            Change(
                path=name,
                before_mode=before.get(name, missing)[0],
                before=before.get(name, missing)[1],
                after_mode=result.get(name, missing)[0],
                after=result.get(name, missing)[1],
            )
            for name in {*before, *result}
        )
    )
