"""Chat models: names, addresses and the environment -> `BaseChatModel`.

- `resolve`: the chat model that a string names
- `profile`: context window, limits and abilities of a model
- `tokens`: token counts
- `redact`: secrets in addresses, messages and logs
- `error_hints`: errors, each in one line that says what to do
- `longwriter`: `LongWriterLLM`, a chat model on a vLLM server
- `server`: vLLM as a context manager
- `offline`: a writer without any model
"""
