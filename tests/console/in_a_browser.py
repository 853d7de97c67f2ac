"""The console in a real browser: every page opened, light and dark; hostile text of a run does nothing; pictures kept.

    make browser            # with Debian's chromium; pictures in .venv/browser

Not among the tests that always run: it needs a browser. Fails on an error on a browser's console, an unexpected dialog,
a page that does not say its title, or a request to anywhere but the console.
"""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dev_agent.console.app import PAGES
from tests.cli.test_scenarios import GOOD, WRONG, dev_agent, tiny_project
from tests.testing.repos import Project

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> **b** "
    "![x](http://127.0.0.1:9/x) [l](javascript:alert(3))"
)
_STARTED_S, _SHOWN_MS = 60, 60_000
_PROBES = ("_stcore/health", "_stcore/host-config")
"""What Streamlit's own front end asks below the path of a page before it finds where it is served from."""


def main(pictures: Path) -> int:
    """Open every page; returns 1 and says why if one is not as it should be."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        sys.stderr.write("no chromium on PATH; on Debian: apt-get install chromium\n")
        return 3
    pictures.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        project = tiny_project(Path(folder)).with_environ(VIRTUAL_ENV=sys.prefix)
        dev_agent(project, "apply", "Double by product", "--patch", "-", stdin=GOOD)
        dev_agent(
            project, "apply", HOSTILE, "--patch", "-", stdin=WRONG.replace("number + number", "2 * number")
        )
        sync = importlib.import_module("playwright.sync_api")
        with served(project) as address, sync.sync_playwright() as driver:
            running = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            for scheme in ("light", "dark"):
                context = running.new_context(viewport={"width": 1300, "height": 1500}, color_scheme=scheme)
                for name in PAGES:
                    found = list(opened(context, address, name, pictures / f"{name}-{scheme}.png"))
                    faults += [f"{name}, {scheme}: {one}" for one in found]
                    sys.stdout.write(f"{name:12} {scheme:6} {'; '.join(found) or 'ok'}\n")
            running.close()
    return 1 if faults else 0


def opened(context: Any, address: str, name: str, picture: Path) -> Iterator[str]:
    """Open a page, look at it, and yield what is wrong."""
    said: list[str] = []
    page = context.new_page()

    def dismissed(dialog: Any) -> None:
        said.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismissed)
    page.on("pageerror", lambda error: said.append(f"an error: {error}"))
    page.on("request", lambda request: said.extend(_elsewhere(request.url, address)))
    page.on("response", lambda answer: said.extend(_refused(answer)))
    page.goto(f"{address}/{'' if name == 'runs' else name}", timeout=_SHOWN_MS)
    page.wait_for_selector("h1", timeout=_SHOWN_MS)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    page.screenshot(path=str(picture), full_page=True)
    if page.inner_text("h1").strip() != PAGES[name]:
        said.append(f"its title is {page.inner_text('h1')!r}")
    if page.locator("[data-testid=stException]").count():
        said.append("it shows an exception")
    if page.locator("img[src='x']").count() or page.locator("a[href^='javascript:']").count():
        said.append("text of a run became markup")
    page.close()
    yield from dict.fromkeys(said)


def _elsewhere(url: str, address: str) -> list[str]:
    return [] if url.startswith((address, "data:", "blob:")) else [f"a request to {url}"]


def _refused(answer: Any) -> list[str]:
    if answer.status < 400 or any(probe in answer.url for probe in _PROBES):
        return []
    return [f"status {answer.status} for {answer.url}"]


@contextmanager
def served(project: Project) -> Iterator[str]:
    """The console on a port of its own, until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [
        sys.executable,
        "-m",
        "dev_agent",
        "console",
        "--no-open",
        "--port",
        str(port),
        "-C",
        str(project.root),
    ]
    environ = {**os.environ, **project.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    server = subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + _STARTED_S
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(".venv/browser")))
