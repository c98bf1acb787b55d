"""A required length, read out of an instruction: `read_required_length`."""
