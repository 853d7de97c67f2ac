"""Renaming across a project: who uses a symbol, and what the files are once it has another name.

Pure: an immutable tree in, bytes out. `ast` tells what an identifier means, LibCST where it stands inside an f-string,
and only its own characters are replaced. Nothing here is imported before a rename has been understood.
"""
