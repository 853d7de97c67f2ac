"""dev-agent: the coding agent that cannot break your repository. Importing this does nothing."""

__version__ = "0.1.0"
