"""The entry of the command line: `dev-agent` and `python -m dev_agent`."""

import gc
import os
import signal
import sys

_OBJECTS_A_LOOK = 20_000
_INTERRUPTED = 130


def main() -> int:
    """Run the command line of this process; returns the exit code."""
    _open_closed_streams()
    argv = sys.argv[1:]
    if argv in (["--version"], ["-V"]):
        # Answered before any framework is imported: scripts ask this often.
        from dev_agent import __version__  # noqa: PLC0415 - as late as possible

        sys.stdout.write(f"dev-agent {__version__}\n")
        return 0
    # Hundreds of modules are made of objects that stay: looking through them for garbage takes a tenth of the time.
    gc.set_threshold(_OBJECTS_A_LOOK)
    try:
        from dev_agent.cancel import signals_interrupt  # noqa: PLC0415 - after the shortcut

        with signals_interrupt():
            from dev_agent.cli.app import run  # noqa: PLC0415 - the framework, after the shortcut
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Nothing was changed.\n")
        return _INTERRUPTED
    code = run(argv)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Python gives signals their default back when it shuts down: one now would replace the exit code.
        signal.signal(number, signal.SIG_IGN)
    # Nor are they looked through at the end.
    gc.freeze()
    return code


def _open_closed_streams() -> None:
    """Give a stream the caller closed (`>&-`) the null device.

    Else the next file that is opened, maybe one of the repository, gets its number, and output would go there.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)  # noqa: FBT003 - a positional of the library
    os.close(number)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for good


if __name__ == "__main__":
    sys.exit(main())
