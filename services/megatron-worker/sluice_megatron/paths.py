"""The folders that calls may name paths in."""

import os
from pathlib import Path

from sluice_megatron.errors import WorkerError


class AllowedRoots:
    """Refuses every path that leads out of the roots, through ``..`` or through links."""

    def __init__(self, roots: list[Path]):
        """Raises FileNotFoundError if a root does not exist."""
        self._roots = tuple(dict.fromkeys(root.resolve(strict=True) for root in roots))

    def existing(self, text: str) -> Path:
        """A path that a call reads."""
        path = self._confined(text)
        if not path.exists():
            raise WorkerError("path_refused", f"{path} does not exist", "see that all services share the data root")
        return path

    def absent(self, text: str) -> Path:
        """A path that a call creates."""
        path = self._confined(text)
        # A dangling link counts as something: writing through it would end wherever it leads.
        if os.path.lexists(path):
            raise WorkerError("path_refused", f"{path} exists already", "name a path of your own epoch")
        return path

    def _confined(self, text: str) -> Path:
        try:
            path = Path(os.path.normpath(text))
            # Links are followed as far as the path exists.
            if path.is_absolute() and any(Path(os.path.realpath(path)).is_relative_to(root) for root in self._roots):
                return path
        except (OSError, ValueError):
            pass  # no path at all: a zero byte, or half a character
        roots = ", ".join(str(root) for root in self._roots)
        raise WorkerError(
            "path_refused",
            f"{text!a} is not an absolute path in one of [{roots}]",
            "move it there, or start the worker with --allow-root",
        )
