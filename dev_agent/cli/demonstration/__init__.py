"""The demo: real commands as a user types them, and an independent look at the repository around each."""
