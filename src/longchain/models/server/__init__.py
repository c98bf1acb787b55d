"""A vLLM server as a context manager: started, shared, explained, and ended with all it started.

a model's name or folder -> `Server`, ready to be asked

- `launch`: what to start, and what can be told wrong before it is
- `supervisor`, `process`: how all of it ends, however the caller does
- `sharing`: one server for equal calls
- `crash`: why a server has ended, in one sentence
- `serving`: `serve()` and `Server`
"""

from longchain.models.server.serving import Server, Serving, serve

__all__ = ["Server", "Serving", "serve"]
