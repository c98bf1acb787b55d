"""How well it writes: measures without a judge."""
