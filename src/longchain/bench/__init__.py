"""Measures how well a model writes: tasks -> predictions -> scores -> a report."""
