"""How a model is called: limits, retries, budget, monitoring and tracing of each request."""
