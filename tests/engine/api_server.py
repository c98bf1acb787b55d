"""What vLLM's server looks like from outside, without a model: for the tests of `serve()`.

Its flags are vLLM's; `ENGINE` in the environment says how it behaves, `ENGINE_RECORD` where it
writes down how it was started. While a file with that name and `.wait` exists, it is not ready.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHILD = """
import os, signal, time
if os.environ["ENGINE"] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(60)
"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        sick = self.path == "/health" and os.path.exists(os.environ["ENGINE_RECORD"] + ".sick")
        self.send_response(503 if sick else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for flag in ("model", "served-model-name", "host", "max-model-len", "dtype", "quantization"):
        parser.add_argument(f"--{flag}")
    for flag in ("chat-template", "lora-modules", "max-lora-rank"):
        parser.add_argument(f"--{flag}", nargs="*")
    parser.add_argument("--port", type=int)
    parser.add_argument("--tensor-parallel-size", type=int)
    for flag in ("enable-prompt-tokens-details", "enforce-eager", "enable-lora"):
        parser.add_argument(f"--{flag}", action="store_true")
    return parser.parse_args()


def main() -> None:
    mode = os.environ.setdefault("ENGINE", "quick")
    # As vLLM's engine does not, but might: a session of its own.
    child = subprocess.Popen([sys.executable, "-S", "-c", CHILD], start_new_session=True)
    with open(os.environ["ENGINE_RECORD"], "a") as record:
        known = {"argv": sys.argv[1:], "pid": os.getpid(), "child": child.pid}
        print(json.dumps(known | {"env": dict(os.environ)}), file=record, flush=True)
    args = parse()
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("(APIServer pid=1) INFO 11-22 10:00:00 [api.py:1] Starting", flush=True)
    if mode == "die":
        time.sleep(float(os.environ.get("ENGINE_SECONDS", "0")))
        print(os.environ["ENGINE_SAYS"], file=sys.stderr, flush=True)
        os._exit(int(os.environ.get("ENGINE_CODE", "1")))
    if mode == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "hang":
        time.sleep(60)
    time.sleep(float(os.environ.get("ENGINE_SECONDS", "0")))
    while os.path.exists(os.environ["ENGINE_RECORD"] + ".wait"):
        time.sleep(0.02)
    server = ThreadingHTTPServer((args.host, args.port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    signal.sigwait([signal.SIGUSR1]) if mode == "stubborn" else signal.pause()


if __name__ == "__main__":
    main()
