"""What a model may be shown: outlines, retrieval, and a map of the repository within a budget of tokens."""
