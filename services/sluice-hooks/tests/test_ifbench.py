"""`python3 -m unittest discover -s services/sluice-hooks/tests`; IFBench itself is not needed."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).parent
CALL = """
from sluice_hooks.ifbench import arguments, reward
from sluice_hooks.sample import Sample
row = {"instruction_id_list": ["count:words", " count:words "], "kwargs": {"words": 2, "unused": None}, "record_id": "7"}
print(reward(None, Sample(response="two words", metadata=row)), reward(None, Sample(response="one", metadata=row)))
print(arguments([{"words": 2, "n": None}, 5], 3))
"""


def run(code, *paths):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), *map(str, paths)])}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)


class IfbenchTest(unittest.TestCase):
    def test_a_response_is_worth_one_where_it_follows_every_instruction(self):
        done = run(CALL, HERE / "fixtures" / "ifbench")
        self.assertEqual(done.stdout.splitlines(), ["1.0 0.0", "[{'words': 2}, {}, {}]"], done.stderr)

    def test_without_the_package_the_error_says_how_to_get_it(self):
        done = run("import sluice_hooks.ifbench")
        self.assertIn("git clone https://github.com/allenai/IFBench", done.stderr)

    def test_a_row_without_instructions_is_an_error_and_no_zero(self):
        code = "from sluice_hooks.ifbench import reward\nfrom sluice_hooks.sample import Sample\nreward(None, Sample())"
        self.assertIn("no instruction_id_list", run(code, HERE / "fixtures" / "ifbench").stderr)


if __name__ == "__main__":
    unittest.main()
