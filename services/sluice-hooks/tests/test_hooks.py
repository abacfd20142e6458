"""`python3 -m unittest discover -s services/sluice-hooks/tests` (needs nothing else)."""

import http.client
import json
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE / 'fixtures'}"}
COMMAND = [sys.executable, "-m", "sluice_hooks", "--port", "0", "--timeout", "1", "--workers", "2"]


class HooksTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        functions = ["--reward", "own_functions.judge", "--group-reward", "own_functions.ranks"]
        functions += ["--generate", "own_functions.generate", "--dynamic-filter", "own_functions.keep"]
        cls.server = subprocess.Popen(COMMAND + functions, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
        cls.port = int(cls.server.stdout.readline().rsplit(":", 1)[1])

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait(10)
        cls.server.stdout.close()

    def post(self, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("POST", path, body if isinstance(body, bytes) else json.dumps(body))
        reply = connection.getresponse()
        content = json.loads(reply.read())
        connection.close()
        return reply.status, content

    def reward(self, response):
        return self.post("/reward", {"prompt": "p", "response": response, "label": "7", "metadata": {"level": 1}})

    def test_a_reward_is_the_reply(self):
        self.assertEqual(self.reward("7"), (200, 1))
        self.assertEqual(self.reward("8"), (200, 0))
        self.assertEqual(self.reward("dict"), (200, {"score": 0.5, "pred": "x"}))

    def test_a_function_that_hangs_is_killed_and_the_next_call_works(self):
        start = time.monotonic()
        for _ in range(3):
            status, content = self.reward("hang")
            self.assertEqual(status, 422)
            self.assertIn("own_functions.judge did not end within 1 s; it was killed", content["error"])
        self.assertLess(time.monotonic() - start, 8)
        self.assertEqual(self.reward("7"), (200, 1))

    def test_a_function_that_dies_costs_its_call_alone(self):
        for _ in range(3):
            status, content = self.reward("die")
            self.assertEqual(status, 422)
            self.assertIn("exit code 7", content["error"])
        self.assertEqual(self.reward("7"), (200, 1))

    def test_what_is_no_reward_is_refused_with_the_reason(self):
        for response, reason in [("nan", "not JSON compliant"), ("text", "a finite number or a dictionary"),
                                 ("raise", "KeyError: 'no such key'")]:
            status, content = self.reward(response)
            self.assertEqual(status, 422)
            self.assertIn(reason, content["error"])

    def test_a_group_is_judged_in_one_call(self):
        samples = [{"response": text} for text in ("ccc", "a", "bb")]
        self.assertEqual(self.post("/reward", {"samples": samples}), (200, [2.0, 0.0, 1.0]))
        status, content = self.post("/group-reward", {"samples": [{"response": "miscount"}, {}]})
        self.assertEqual(status, 422)
        self.assertIn("2 samples were given and 1 rewards came", content["error"])

    def test_generate_gives_samples_back(self):
        body = {"sample": {"prompt": "p"}, "sampling_params": {"max_new_tokens": 4}, "evaluation": True}
        status, content = self.post("/generate", body)
        self.assertEqual(status, 200)
        self.assertEqual(content["samples"][0]["response"], "eval")
        self.assertEqual(content["samples"][0]["status"], "completed")
        self.assertEqual(content["samples"][0]["response_length"], 4)

    def test_a_dynamic_filter_says_whether_to_keep(self):
        status, content = self.post("/dynamic-filter", {"samples": [{"reward": 1}, {"reward": 1}]})
        self.assertEqual((status, content["keep"], content["reason"]), (200, False, "zero_std"))

    def test_what_is_no_call_is_refused(self):
        self.assertEqual(self.post("/reward", b"{")[0], 400)
        self.assertEqual(self.post("/reward", b"[]")[0], 400)
        self.assertEqual(self.post("/reward", b"[" * 100000)[0], 400)
        self.assertEqual(self.post("/other", {})[0], 404)

    def test_a_function_that_is_not_there_stops_the_start(self):
        done = subprocess.run(COMMAND + ["--reward", "own_functions.nothing"], env=ENVIRONMENT, capture_output=True,
                              text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the functions cannot be loaded", done.stderr)
        self.assertIn("has no attribute 'nothing'", done.stderr)

    def test_args_are_what_the_command_says(self):
        functions = ["--reward", "own_functions.length", "--args", '{"factor": 3}']
        server = subprocess.Popen(COMMAND + functions, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
        try:
            port, own = int(server.stdout.readline().rsplit(":", 1)[1]), self.port
            self.port = port
            self.assertEqual(self.reward("four"), (200, 12))
            self.port = own
        finally:
            server.terminate()
            server.wait(10)
            server.stdout.close()


if __name__ == "__main__":
    unittest.main()
