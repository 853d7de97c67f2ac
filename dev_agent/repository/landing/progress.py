"""Where a landing or a recovery has got to, told to whoever listens."""

from __future__ import annotations


class Progress:
    """Does nothing; override `reached`."""

    def reached(self, point: str) -> None:
        """Called at every point between two changes of the repository, with the point's name.

        An exception raised here is treated as one of the step itself: before the commit point the landing is
        undone.
        """
