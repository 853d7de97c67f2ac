"""Models as compute: one small interface, one file a service. What comes back is typed data or a named trouble."""
