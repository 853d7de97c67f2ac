"""Tests of `dev_agent.repository`."""
