"""What can write: names and environments -> chat models."""
