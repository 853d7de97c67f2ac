"""A mirror takes what verifies and nothing else; a tree is there when all of it is."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dev_agent.cluster.mirror import BadBundle, Mirror, RemoteRefused
from dev_agent.cluster.mirrors import Mirrors
from dev_agent.gates.subject import Subject
from dev_agent.repository.trees import RepositoryTrees
from tests.testing.jobs import bundles_of
from tests.testing.repos import Project, make_repository

FILES = {"a.txt": b"one\n", "deep/b.txt": b"two\n"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_repository(tmp_path_factory.mktemp("asker"), {**FILES})


@pytest.fixture(scope="module")
def subject(project: Project) -> Subject:
    entries = {path: ("100644", data) for path, data in {**FILES, "deep/b.txt": b"three\n"}.items()}
    return Subject(base_tree=project.tree(), tree=project.make_tree(entries), changed=("deep/b.txt",))


@pytest.fixture
def mirror(tmp_path: Path, project: Project) -> Mirror:
    return Mirror(tmp_path / "m.git", "sha1", project.environ)


def save(folder: Path, *bundles: bytes) -> list[Path]:
    paths = [folder / f"{number}.bundle" for number, _ in enumerate(bundles)]
    for path, data in zip(paths, bundles, strict=True):
        path.write_bytes(data)
    return paths


def test_a_base_and_what_was_changed_of_it_arrive(
    tmp_path: Path, project: Project, subject: Subject, mirror: Mirror
) -> None:
    base, thin = save(tmp_path, *bundles_of(project, subject))
    assert not mirror.has(subject.base_tree)
    assert mirror.take(base) == subject.base_tree
    assert mirror.take(thin) == subject.tree
    assert mirror.has(subject.base_tree)
    assert mirror.has(subject.tree)
    assert RepositoryTrees(mirror.repository).read(subject.tree, "deep/b.txt") == b"three\n"


def test_a_bundle_that_came_before_what_it_builds_on_is_refused(
    tmp_path: Path, project: Project, subject: Subject, mirror: Mirror
) -> None:
    base, thin = save(tmp_path, *bundles_of(project, subject))
    with pytest.raises(BadBundle, match="builds on"):
        mirror.take(thin)
    assert not mirror.has(subject.tree)
    mirror.take(base)
    assert mirror.take(thin) == subject.tree


def test_a_bundle_cut_short_or_altered_leaves_the_mirror_as_it_was(
    tmp_path: Path, project: Project, subject: Subject, mirror: Mirror
) -> None:
    whole, _ = bundles_of(project, subject)
    before = objects_of(mirror)
    flipped = whole[:-30] + bytes([whole[-30] ^ 1]) + whole[-29:]
    for bad in save(tmp_path, whole[:-25], flipped, b"no bundle", b"", b"# v2 git bundle\n\n"):
        with pytest.raises(BadBundle):
            mirror.take(bad)
        assert objects_of(mirror) == before
        assert not mirror.has(subject.base_tree)


def test_a_bundle_whose_tree_is_not_whole_is_refused(
    tmp_path: Path, project: Project, subject: Subject, mirror: Mirror
) -> None:
    """Its pack is sound and its commit is there; only a look at every link finds that a file is missing."""
    blob = project.git("rev-parse", f"{subject.base_tree}:deep/b.txt")
    commit = project.git("commit-tree", "-m", "x", subject.base_tree)
    deep = project.git("rev-parse", f"{subject.base_tree}:deep")
    listed = "\n".join(
        [commit, subject.base_tree, deep, project.git("rev-parse", f"{subject.base_tree}:a.txt")]
    )
    pack = project.git_bytes("pack-objects", "--stdout", "-q", stdin=listed.encode())
    (bad,) = save(tmp_path, f"# v2 git bundle\n{commit} refs/heads/x\n\n".encode() + pack)
    with pytest.raises(BadBundle):
        mirror.take(bad)
    assert not mirror.has(subject.base_tree)
    assert blob not in objects_of(mirror)


def test_a_tree_that_would_write_into_a_git_folder_is_refused(
    tmp_path: Path, project: Project, subject: Subject, mirror: Mirror
) -> None:
    blob = project.blob(b"[core]\n\tsshCommand = evil\n")
    config = project.git("mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())
    raw = b"40000 .git\0" + bytes.fromhex(config)
    tree = project.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=raw)
    (bad,) = save(tmp_path, *bundles_of(project, Subject(base_tree=tree, tree=tree, changed=())))
    with pytest.raises(BadBundle):
        mirror.take(bad)
    assert not mirror.has(tree)


def test_what_a_death_left_of_a_bundle_is_taken_once_more(
    tmp_path: Path, project: Project, subject: Subject, mirror: Mirror
) -> None:
    """Dead between the objects and the ref, and dead while unpacking: neither counts, and both are mended."""
    base, _ = save(tmp_path, *bundles_of(project, subject))
    mirror.take(base)
    (mirror.place / "refs/trees" / subject.base_tree).unlink()
    (mirror.place / "quarantine/pack").mkdir(parents=True)
    again = Mirror(mirror.place, "sha1", project.environ)
    assert not again.has(subject.base_tree)
    assert not (mirror.place / "quarantine").exists()
    assert again.take(base) == subject.base_tree
    assert again.has(subject.base_tree)


def test_threads_that_bring_the_same_bundle_agree(
    tmp_path: Path, project: Project, subject: Subject, mirror: Mirror
) -> None:
    base, _ = save(tmp_path, *bundles_of(project, subject))
    taken: list[str] = []
    threads = [threading.Thread(target=lambda: taken.append(mirror.take(base))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert taken == [subject.base_tree] * 4


def test_a_commit_is_fetched_from_a_remote_without_its_history(
    tmp_path: Path, project: Project, subject: Subject, mirror: Mirror
) -> None:
    commit = project.git("rev-parse", "HEAD")
    assert mirror.fetch(f"file://{project.root}", commit) == subject.base_tree
    mirror.carry(subject.base_tree)
    _, thin = save(tmp_path, *bundles_of(project, subject))
    assert mirror.take(thin) == subject.tree


@pytest.mark.parametrize("what", ["nowhere", "another commit"])
def test_a_remote_that_does_not_have_it_is_named_as_such(
    tmp_path: Path, project: Project, mirror: Mirror, what: str
) -> None:
    url = f"file://{tmp_path / 'nowhere'}" if what == "nowhere" else f"file://{project.root}"
    with pytest.raises(RemoteRefused, match="cannot be fetched from"):
        mirror.fetch(url, "1" * 40)


def test_no_configuration_of_the_user_reaches_a_mirror(tmp_path: Path, project: Project) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[core]\n\tautocrlf = true\n[credential]\n\thelper = evil\n")
    environ = {**project.environ, "HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    mirror = Mirror(tmp_path / "m.git", "sha1", environ)
    assert mirror.repository.git.setting("core.autocrlf") is None
    assert mirror.repository.git.setting("credential.helper") is None


def test_a_mirror_in_use_stays_and_another_goes_whole(tmp_path: Path, project: Project) -> None:
    mirrors = Mirrors(tmp_path / "mirrors", project.environ)
    with mirrors.using("a" * 64, "sha1") as mirror:
        assert not mirrors.drop("a" * 64)
        assert mirror.place.is_dir()
    assert mirrors.drop("a" * 64)
    assert not list((tmp_path / "mirrors").iterdir())


def objects_of(mirror: Mirror) -> set[str]:
    objects = mirror.repository.common_dir / "objects"
    return {str(one.relative_to(objects)) for one in objects.rglob("*") if one.is_file()}
