"""Gates: what mypy, pytest and the project's own checks say about a staged tree, compared with its base.

    config       the project's `[tool.dev-agent]`, read from the base
    project      interpreter, installed distributions, sources: the environment the gates judge in
    types        mypy, as a delta of findings matched by file, symbol, code and message
    tests        pytest under a trusted runner, base's tests over staged sources, then the change's own tests
    checks       any command, judged by its exit status
    gates        all of it bound to one repository; the door for callers

Rules: the judged do not choose the judge (configuration, tests and plugins come from the base); a verdict is
PASSED only when exit status, structured report and collected set agree; whatever did not run to its end is
not a pass; nothing of the judged tree runs outside the sandbox.
"""
