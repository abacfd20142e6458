"""A generate function asks a router as slime's do; `python3 -m unittest discover -s services/sluice-hooks/tests`."""

import asyncio
import json
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parent.parent))

from sluice_hooks import router  # noqa: E402


class Router(BaseHTTPRequestHandler):
    """Has no engine at first; then answers, or refuses what names another version."""

    seen: list = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append(body)
        status = 409 if body.get("exact_weight_version") else 503 if len(self.seen) == 1 else 200
        data = json.dumps({"weight_version": "7", "seen": len(self.seen)}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


class RouterTest(unittest.TestCase):
    def setUp(self):
        Router.seen = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Router)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        router.PAUSE_SECONDS = 0.01

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()

    def test_the_router_has_slimes_names_in_the_arguments(self):
        args = router.with_router(SimpleNamespace(said=5), self.url)
        self.assertEqual((args.said, args.sglang_router_ip), (5, "127.0.0.1"))
        self.assertEqual(args.sglang_router_port, self.server.server_address[1])
        self.assertIs(router.with_router(args, None), args)

    def test_no_engine_now_is_waited_for(self):
        self.assertEqual(asyncio.run(router.post(self.url, {"text": "a"}))["seen"], 2)

    def test_a_version_that_no_engine_holds_is_told_at_once(self):
        with self.assertRaises(router.HTTPStatusError) as refused:
            asyncio.run(router.post(self.url, {"exact_weight_version": 3}))
        self.assertEqual((refused.exception.status, len(Router.seen)), (409, 1))
        self.assertIn('"weight_version": "7"', str(refused.exception))


if __name__ == "__main__":
    unittest.main()
