"""From library values to pages: pure functions that decide order and words, one file per kind of answer."""
