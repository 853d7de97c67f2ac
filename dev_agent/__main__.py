"""The entry of the command line: `dev-agent` and `python -m dev_agent`."""

import sys


def main() -> int:
    """Run the command line of this process; returns the exit code."""
    argv = sys.argv[1:]
    if argv in (["--version"], ["-V"]):
        # Answered before any framework is imported: scripts ask this often.
        from dev_agent import __version__  # noqa: PLC0415 - as late as possible

        sys.stdout.write(f"dev-agent {__version__}\n")
        return 0
    from dev_agent.cli.app import run  # noqa: PLC0415 - the framework, after the shortcut

    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
