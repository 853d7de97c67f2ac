"""Keys of model services are the user's: what judges a change, and so runs its code, never has them."""

from __future__ import annotations

import pytest

from dev_agent.programs.report import Outcome
from dev_agent.proposers.keys import VARIABLES
from tests.programs.conftest import TESTS_ONLY, Shop
from tests.testing.asks import KEY

LOOKS_FOR_KEYS = f'''--- /dev/null
+++ b/tests/test_keys.py
@@ -0,0 +1,11 @@
+import os
+import pathlib
+
+
+def test_no_key_is_here() -> None:
+    seen = repr(dict(os.environ))
+    for file in pathlib.Path("/proc").glob("[0-9]*/environ"):
+        if os.access(file, os.R_OK):
+            seen += file.read_text(errors="replace")
+    assert "PATH" in seen
+    assert "{KEY[:20]}" + "{KEY[20:]}" not in seen
'''


def test_neither_tests_nor_hooks_see_a_key_of_the_users(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for names in VARIABLES.values() for name in names]
    # Our own environment, and the one the caller of the library hands over.
    for name in names:
        monkeypatch.setenv(name, KEY)
    shop.project = shop.project.with_environ(**dict.fromkeys(names, KEY))
    hook = shop.project.git_dir / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nenv | grep -q {KEY} && exit 9\nexit 0\n")
    hook.chmod(0o755)
    report = shop.apply(LOOKS_FOR_KEYS.encode(), policy=TESTS_ONLY)
    assert report.outcome is Outcome.COMMITTED, report


def test_the_test_that_looks_for_a_key_would_find_one(shop: Shop) -> None:
    (shop.root / "dev-agent.toml").write_text(f'env = {{ LEAKED = "{KEY}" }}\n')
    shop.project.git("add", "dev-agent.toml")
    shop.project.git("commit", "--no-verify", "-m", "hand it in")
    report = shop.apply(LOOKS_FOR_KEYS.encode(), policy=TESTS_ONLY)
    assert report.outcome is Outcome.REJECTED
    (failure,) = [one for gate in report.gates for one in gate["new_failures"]]
    assert "test_no_key_is_here" in str(failure)
