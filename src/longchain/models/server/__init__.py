"""A vLLM server as a context manager: started, shared, explained, and ended with its processes.

a model's name or folder -> `Server`, ready for requests

- `install`: the vLLM of a Python interpreter
- `model_files`: folders of models and adapters
- `launch`: command and environment, and checks before a start
- `supervisor`, `process`: a command that ends with this process
- `crash`: why a server has ended, in one sentence
- `server`: `Server`, one that runs
- `shared_server`: one server for equal calls
- `serving`: `serve()`
"""

from longchain.models.server.server import Server
from longchain.models.server.serving import ServerContext, serve

__all__ = ["Server", "ServerContext", "serve"]
