"""The tests: a package, so that `tests.testing` can be imported and equal file names do not clash."""
