"""Instruction -> `LongDocument`: AgentWrite as a graph, one stage per file."""
