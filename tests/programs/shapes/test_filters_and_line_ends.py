"""Line ends, attributes and filters: files on disk are what git itself would have written."""

from __future__ import annotations

from pathlib import Path

from dev_agent.programs.report import Outcome
from tests.programs.conftest import Shop
from tests.programs.shapes.scene import lands, proposing, refuses, shop_of


def test_attributes_in_the_change_itself_decide_how_its_files_look(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    lands(shop, {".gitattributes": b"*.dos text eol=crlf\n", "new.dos": b"one\ntwo\n"})
    assert (shop.root / "new.dos").read_bytes() == b"one\r\ntwo\r\n"


def test_a_file_that_is_crlf_on_disk_by_its_attributes_stays_so(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, {".gitattributes": b"*.dos text eol=crlf\n", "f.dos": b"one\r\n"})
    lands(shop, {"f.dos": b"one\ntwo\n"})
    assert (shop.root / "f.dos").read_bytes() == b"one\r\ntwo\r\n"


def test_under_autocrlf_files_are_crlf_on_disk_and_lf_in_git(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, {"f.txt": b"one\n"})
    shop.project.git("config", "core.autocrlf", "true")
    (shop.root / "f.txt").unlink()
    shop.project.git("checkout", "--", "f.txt")
    assert (shop.root / "f.txt").read_bytes() == b"one\r\n"
    lands(shop, {"f.txt": b"one\ntwo\n", "new.txt": b"n\n"})
    assert (shop.root / "f.txt").read_bytes() == b"one\r\ntwo\r\n"
    assert (shop.root / "new.txt").read_bytes() == b"n\r\n"


def test_crlf_kept_in_git_under_autocrlf_is_no_false_dirt(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, {"f.txt": b"one\r\ntwo\r\n", "other.txt": b"x\r\n"})
    shop.project.git("config", "core.autocrlf", "true")
    report = shop.apply(b"f.txt\n<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE\n")
    assert report.outcome is Outcome.COMMITTED, report
    assert shop.project.git_bytes("show", "HEAD:f.txt") == b"one\r\n2\r\n"
    assert (shop.root / "f.txt").read_bytes() == b"one\r\n2\r\n"
    assert shop.status() == ""


def shouting(tmp_path: Path) -> Shop:
    """Files that are upper case on disk and lower case in git."""
    shop = shop_of(tmp_path, {"plain": b"p\n"})
    shop.project.git("config", "filter.shout.clean", "tr A-Z a-z")
    shop.project.git("config", "filter.shout.smudge", "tr a-z A-Z")
    shop.project.commit("attributes", {".gitattributes": b"*.loud filter=shout\n"})
    shop.project.commit("loud", {"f.loud": b"HELLO\n"})
    return shop


def test_clean_and_smudge_filters_are_obeyed(tmp_path: Path) -> None:
    shop = shouting(tmp_path)
    lands(shop, {"f.loud": b"goodbye\n", "new.loud": b"new\n"})
    assert (shop.root / "f.loud").read_bytes() == b"GOODBYE\n"
    assert (shop.root / "new.loud").read_bytes() == b"NEW\n"


def test_a_filtered_file_with_an_edit_of_the_users_is_in_the_way(tmp_path: Path) -> None:
    shop = shouting(tmp_path)
    shop.project.write("f.loud", b"HELLO YOU\n")
    refuses(shop, {"f.loud": b"goodbye\n"}, "dirty-overlap", "f.loud")


def without_its_program(tmp_path: Path, missing: str) -> Shop:
    """Files under a required filter like that of LFS, whose `missing` half is not installed."""
    shop = shop_of(tmp_path, {".gitattributes": b"*.bin filter=lfs\n", "f.bin": b"version one\n"})
    for name in ("smudge", "clean"):
        shop.project.git("config", f"filter.lfs.{name}", "no-such-program" if name == missing else "cat")
    shop.project.git("config", "filter.lfs.required", "true")
    return shop


def test_a_required_filter_that_cannot_write_a_file_of_the_change_refuses_it(tmp_path: Path) -> None:
    shop = without_its_program(tmp_path, "smudge")
    refuses(shop, {"f.bin": b"version two\n"}, "filter-failed", "f.bin")


def test_a_required_filter_that_cannot_read_a_file_of_the_change_refuses_it(tmp_path: Path) -> None:
    """It has to be read where its bytes are not those in git: as everything under LFS."""
    shop = without_its_program(tmp_path, "clean")
    shop.project.write("f.bin", b"large\n")
    refuses(shop, {"f.bin": b"version two\n"}, "filter-failed", "f.bin")


def test_a_required_filter_that_fails_for_other_files_is_no_obstacle(tmp_path: Path) -> None:
    shop = without_its_program(tmp_path, "smudge")
    report = shop.apply(proposing(shop.project, {"plain": b"p\n"}))
    assert report.outcome is Outcome.COMMITTED, report
