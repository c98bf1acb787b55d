"""How well it writes: tasks -> predictions -> scores -> a report."""
