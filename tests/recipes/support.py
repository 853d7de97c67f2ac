"""Trees and benches for tests of recipes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dev_agent.edits.trees import DictTree
from dev_agent.recipes.model import Bench, Checker, Declined, Rewritten
from dev_agent.recipes.registry import find

MODERN = '[project]\nname = "p"\nrequires-python = ">=3.11"\n'


def project(python: str) -> str:
    """The pyproject.toml of a project that runs on this Python and later."""
    return f'[project]\nname = "p"\nrequires-python = ">={python}"\n'


def work(
    task: str,
    files: Mapping[str, str | bytes | tuple[str, bytes]],
    *,
    covers: Callable[[str], bool] = lambda _path: True,
    checker: Checker | None = None,
) -> Rewritten | Declined:
    """What a task makes of a tree."""
    found = find(task)
    assert found is not None, task
    job = found[1]
    assert not isinstance(job, Declined), job
    tree = DictTree({path: text.encode() if isinstance(text, str) else text for path, text in files.items()})
    return job.work(Bench(tree=tree, covers=covers, checker=checker))


def rewritten(task: str, files: Mapping[str, str | bytes | tuple[str, bytes]]) -> Rewritten:
    """The same, for a task that is done."""
    result = work(task, files)
    assert isinstance(result, Rewritten), result
    return result


def text_after(task: str, text: str, *, path: str = "app.py", python: str = "3.11") -> str:
    """The text of one file after a task; the same text if nothing changed. A second time changes nothing."""
    files: dict[str, str | bytes | tuple[str, bytes]] = {"pyproject.toml": project(python), path: text}
    content = rewritten(task, files).files.get(path)
    if content is None:
        return text
    again = rewritten(task, {**files, path: content})
    assert again.empty, again.files
    return content.decode()
