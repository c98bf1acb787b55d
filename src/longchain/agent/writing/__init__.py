"""AgentWrite, step II: plan, prior text and references become the next piece of prose."""
