"""Builders that tests share: plain functions, no fixtures."""
