"""Which of the given sources the Python that runs this can parse. None of them is run, and nothing else is read.

One record for each, so that a source whose record is missing was not judged. Standard library only, Python 3.8+.
"""

from __future__ import annotations

import ast
import base64
import warnings
from typing import Any, Callable, Dict, Optional, Tuple


def read_all(instructions: Dict[str, Any], send: Callable[[Dict[str, Any]], None]) -> int:
    """Parse every source and say what keeps it from parsing; the exit status is always 0."""
    warnings.simplefilter("ignore")
    for number, source in enumerate(instructions["sources"]):
        line, message = _fault(base64.b64decode(source)) or (0, "")
        send({"type": "source", "number": number, "line": line, "message": message})
    return 0


def _fault(source: bytes) -> Optional[Tuple[int, str]]:
    try:
        ast.parse(source)
    except SyntaxError as error:
        return error.lineno or 0, str(error.msg)
    except (ValueError, RecursionError, MemoryError, LookupError) as error:
        return 0, str(error) or type(error).__name__
    return None
