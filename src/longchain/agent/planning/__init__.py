"""AgentWrite, step I: an instruction becomes a `WritingPlan`."""
