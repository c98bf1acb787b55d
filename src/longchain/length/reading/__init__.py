"""Reads the required length from an instruction: `required_length.read_required_length`."""
