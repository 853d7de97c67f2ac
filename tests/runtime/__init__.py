"""The runtime's laws and scenarios."""
