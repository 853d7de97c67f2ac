"""What an edit is: recognise a proposal, resolve it against one immutable tree, render the result.

Pure: bytes in, bytes out.

    proposal bytes --parse--> edits --resolve(base tree)--> change set --render--> canonical diff

Nothing here opens a file, starts a process or reads a clock, and nothing of ours outside this package is
imported.
"""
