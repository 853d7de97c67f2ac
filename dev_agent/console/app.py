"""The console's pages, and what all of them share. Run by Streamlit, which `dev-agent console` starts.

A page is a function; its module is imported when it is shown. Deep links: every page keeps what it shows in the query
(`?run=…`), so a link can be mailed.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable

import streamlit as st

from dev_agent.console.place import Place, place_in
from dev_agent.errors import DevAgentError
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.surfaces.looking import VARIABLE

PAGES = {
    "runs": "Runs",
    "run": "Run",
    "compare": "Compare",
    "health": "Health",
    "verify": "Verify",
    "policy": "Policy",
    "laboratory": "Laboratory",
    "compliance": "Compliance review",
}


def main() -> None:
    """Show the page of the address."""
    st.set_page_config(page_title="dev-agent", layout="wide", menu_items={})
    chosen = st.navigation(
        [
            st.Page(_page(name), title=title, url_path=name, default=name == "runs")
            for name, title in PAGES.items()
        ]
    )
    chosen.run()


def _page(name: str) -> Callable[[], None]:
    def show() -> None:
        show_page(name)

    show.__name__ = name
    return show


def show_page(name: str) -> None:
    """Show a page by its name in the address; what stands in its way is said on it."""
    try:
        place = place_in(os.environ[VARIABLE])
    except (KeyError, ValueError):
        st.error("These pages are started by `dev-agent console`, which says what they look at.")
        return
    except DevAgentError as error:
        trouble(error.message, error.hint)
        return
    st.title(PAGES[name])
    try:
        render: Callable[[Place], None] = importlib.import_module(f"dev_agent.console.views.{name}").render
        render(place)
    except (DevAgentError, RuntimeFault) as error:
        trouble(str(error), getattr(error, "hint", ""))


def trouble(message: str, hint: str = "") -> None:
    """Say what is wrong; `message` may quote anybody, so it is shown as it is."""
    st.error("This cannot be shown.")
    st.code(f"{message}\n{hint}".strip(), language=None, wrap_lines=True)


if __name__ == "__main__":
    main()
