"""The attacks, a family a module."""
