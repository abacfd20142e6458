"""Runs a script as on a machine without TransformerEngine: python without_te.py SCRIPT ARGUMENT..."""

import runpy
import sys

if __name__ == "__main__":
    # An import of what is None fails as one of what is not there.
    sys.modules["transformer_engine"] = None
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
