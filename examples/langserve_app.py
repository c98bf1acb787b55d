"""Serve the chain with LangServe.

    pip install "longchain[langserve]"
    python examples/langserve_app.py          # or: PORT=9000 python examples/langserve_app.py

Then, on http://127.0.0.1:8000:

- `/agent-write/playground/` is a page to try it.
- `POST /agent-write/invoke` with `{"input": {"instruction": "...", "length": 800}}` answers with
  the document; `/batch` takes several; `/stream` and `/stream_events` send what happens meanwhile.
- `/agent-write/input_schema` and `/output_schema` say what goes in and out; `/docs` lists all.
- From Python: `RemoteRunnable("http://127.0.0.1:8000/agent-write").invoke("Write ...")`.

A server must not read paths that a client names: `local_sources=False`. Clients send texts as
`context`; without, this one writes from its own library, `examples/sources`. It has no users and no
keys: it listens on this machine only. Add `dependencies=[Depends(...)]` to `add_routes` before it
listens anywhere else.
"""

import os
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from langserve import add_routes
from pydantic import ValidationError

from longchain import AgentWriteChain
from longchain.sources import SourceRetriever, read_sources

LIBRARY = Path(__file__).parent / "sources"

app = FastAPI(title="Long documents")
chain = AgentWriteChain(
    retriever=SourceRetriever.over(read_sources([LIBRARY])), local_sources=False
)
add_routes(app, chain, path="/agent-write", disabled_endpoints=["stream_log"])


@app.exception_handler(ValidationError)
async def refuse(request: Request, error: ValidationError) -> JSONResponse:
    """Answer bad input with 422 in `/batch`, too, as LangServe does by itself elsewhere."""
    return JSONResponse({"detail": error.errors(include_url=False)}, status_code=422)


def main() -> None:
    """Run the server until it is interrupted."""
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
