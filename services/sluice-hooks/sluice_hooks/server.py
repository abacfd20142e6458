"""The webhook: HTTP in front of the pool of workers. README.md has the protocol."""

import argparse
import json
import math
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .pool import CallFailed, Died, Pool

MAX_BODY_BYTES = 64 << 20


def checked(hook: str, result: Any) -> Any:
    """The result, if it is what the hook may return."""
    if hook == "reward":
        return reward(result)
    if hook == "group-reward":
        return [reward(one) for one in result]
    return result


def reward(value: Any) -> Any:
    number = isinstance(value, (bool, int, float)) and math.isfinite(value)
    if not number and not isinstance(value, dict):
        raise CallFailed(422, f"a reward is a finite number or a dictionary, not {str(value)[:80]!r}")
    return value


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # a client that stops in the middle of its request

    def do_GET(self) -> None:
        pool: Pool = self.server.pool
        if self.path != "/health":
            return self.reply(404, {"error": "only /health is read"})
        self.reply(200, {"functions": pool.settings["functions"], "replaced": pool.replaced})

    def do_POST(self) -> None:
        try:
            hook, body = self.hook(), self.body()
            if hook == "reward" and "samples" in body:
                hook = "group-reward"
            self.known(hook)
            self.reply(200, checked(hook, self.server.pool.call(hook, body)))
        except CallFailed as failure:
            self.reply(failure.status, {"error": str(failure)})

    def hook(self) -> str:
        return self.path.partition("?")[0].strip("/")

    def known(self, hook: str) -> None:
        functions = self.server.pool.settings["functions"]
        if hook not in functions:
            raise CallFailed(404, f"no function is hosted for {hook[:60]!r}, only for {sorted(functions)}")

    def body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise CallFailed(413, f"send a Content-Length of at most {MAX_BODY_BYTES} bytes")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as fault:
            raise CallFailed(400, f"the body is not JSON: {fault}") from None
        if not isinstance(body, dict):
            raise CallFailed(400, "the body is no JSON object")
        return body

    def reply(self, status: int, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        if args and not str(args[-2] if len(args) > 1 else "").startswith("2"):
            sys.stderr.write("sluice-hooks: " + format % args + "\n")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], pool: Pool):
        super().__init__(address, Handler)
        self.pool = pool


def options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("sluice-hooks", description="Hosts functions with slime's signatures as webhooks.")
    parser.add_argument("--reward", metavar="PKG.MOD.FN", help="fn(args, sample) -> number or dictionary")
    parser.add_argument("--group-reward", metavar="PKG.MOD.FN", help="fn(args, samples) -> list of them")
    parser.add_argument("--generate", metavar="PKG.MOD.FN", help="fn(args, sample, sampling_params) -> Sample or list")
    parser.add_argument("--dynamic-filter", metavar="PKG.MOD.FN", help="fn(args, samples) -> DynamicFilterOutput or bool")
    parser.add_argument("--args", default="{}", help="JSON of what functions find in their args")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; there is no password")
    parser.add_argument("--port", type=int, default=8090, help="0 takes a free one and prints it")
    parser.add_argument("--timeout", type=float, default=60, help="seconds that a call may take (default 60)")
    parser.add_argument("--start-timeout", type=float, default=120, help="seconds that imports may take (default 120)")
    parser.add_argument("--workers", type=int, default=4, help="processes, each with one call at a time (default 4)")
    given = parser.parse_args(arguments)
    try:
        given.args = json.loads(given.args)
    except ValueError as fault:
        parser.error(f"--args is not JSON: {fault}")
    if not isinstance(given.args, dict) or given.workers < 1 or given.timeout <= 0:
        parser.error("--args must be a JSON object, --workers at least 1 and --timeout above 0")
    hooks = {"reward": given.reward, "group-reward": given.group_reward}
    hooks |= {"generate": given.generate, "dynamic-filter": given.dynamic_filter}
    given.functions = {hook: path for hook, path in hooks.items() if path}
    if not given.functions:
        parser.error("name at least one function, such as --reward my.module.reward")
    return given


def main(arguments: list[str] | None = None) -> None:
    given = options(arguments)
    settings = {"functions": given.functions, "args": given.args}
    try:
        pool = Pool(settings, given.workers, given.timeout, given.start_timeout)
    except Died as death:
        sys.exit(f"sluice-hooks: the functions cannot be loaded: {death}")
    server = Server((given.host, given.port), pool)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"sluice-hooks listens on http://{given.host}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        pool.close()
