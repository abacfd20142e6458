"""Reads JSON objects strictly: unknown fields are refused, and all problems are told at once."""

import difflib
import json
import math
import re
from collections.abc import Iterable
from typing import Any

from sluice_megatron.errors import WorkerError

_MOST = 2**31 - 1
_LONGEST_QUOTE = 80
_DEEPEST = 64
_REQUIRED = object()


class Problems:
    """What is wrong with a request, and what to do about each."""

    def __init__(self) -> None:
        self._messages: list[str] = []
        self._mends: list[str] = []

    def add(self, message: str, mend: str = "") -> None:
        self._messages.append(message)
        if mend and mend not in self._mends:
            self._mends.append(mend)

    def __bool__(self) -> bool:
        return bool(self._messages)

    def text(self) -> str:
        return "; ".join(self._messages)

    def refuse(self) -> None:
        """Raises invalid_request if there are any."""
        if self._messages:
            raise WorkerError("invalid_request", self.text(), "; ".join(self._mends))


class Fields:
    """The fields of one object, read one after another; ``end`` complains of those that nobody asked for."""

    def __init__(self, values: dict[str, Any], problems: Problems, where: str = ""):
        self.problems = problems
        self._values = values
        self._where = where
        self._asked: list[str] = []

    def into(self, problems: Problems) -> "Fields":
        """The same fields under their own names, whose problems are told elsewhere."""
        return Fields(self._values, problems)

    def text(self, name: str, default: Any = _REQUIRED, pattern: re.Pattern[str] | None = None, mend: str = "") -> Any:
        value = self._value(name, default)
        if value is None or value is default:
            return value
        if not isinstance(value, str):
            return self._wrong(name, value, "must be text")
        if pattern is not None and not pattern.fullmatch(value):
            self.problems.add(f"{self._where}{name} is {_plain(value)}", mend)
        return value

    def whole(self, name: str, default: Any = _REQUIRED, least: int = -_MOST - 1, most: int = _MOST) -> Any:
        value = self._value(name, default)
        if value is None or value is default:
            return value
        if not isinstance(value, int) or isinstance(value, bool):
            return self._wrong(name, value, "must be a whole number")
        if not least <= value <= most:
            bound = f"{least} or more" if most == _MOST else f"a number from {least} to {most}"
            self.problems.add(f"{self._where}{name} is {_quoted(value)}", f"send {bound}")
        return value

    def number(self, name: str, default: Any = _REQUIRED) -> Any:
        value = self._value(name, default)
        if value is None or value is default:
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._wrong(name, value, "must be a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        return number if math.isfinite(number) else self._wrong(name, value, "must be a finite number")

    def flag(self, name: str, default: bool = False) -> Any:
        value = self._value(name, default)
        return value if value is None or isinstance(value, bool) else self._wrong(name, value, "must be true or false")

    def choice(self, name: str, among: Iterable[str], default: Any = _REQUIRED) -> Any:
        value = self._value(name, default)
        if value is None or value is default:
            return value
        return value if value in among else self._wrong(name, value, f"must be one of {', '.join(among)}")

    def texts(self, name: str, default: Any = _REQUIRED, among: Iterable[str] | None = None) -> Any:
        """A list of texts as a tuple."""
        value = self._value(name, default)
        if value is None or value is default:
            return value
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            return self._wrong(name, value, "must be a list of texts")
        strange = [one for one in value if among is not None and one not in among]
        if strange:
            self._wrong(name, value, f"may hold {', '.join(among or ())}")
        return tuple(value)

    def part(self, name: str, default: Any = _REQUIRED) -> "Fields | None":
        """An object within; None where it is absent or none."""
        value = self._value(name, default)
        if value is None:
            return None
        if not isinstance(value, dict):
            return self._wrong(name, value, "must be an object")
        return Fields(value, self.problems, f"{self._where}{name}.")

    def parts(self, name: str) -> "list[Fields] | None":
        """A list of objects, at least one."""
        value = self._value(name, _REQUIRED)
        if value is None:
            return None
        if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
            return self._wrong(name, value, "must be a list of objects, at least one")
        return [Fields(one, self.problems, f"{self._where}{name}[{at}].") for at, one in enumerate(value)]

    def end(self) -> None:
        for name in self._values:
            if name not in self._asked:
                near = difflib.get_close_matches(name, self._asked, 1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(self._asked)}"
                self.problems.add(f"{self._where}{_plain(name)} is not known ({hint})")

    def _value(self, name: str, default: Any) -> Any:
        """A field that is null counts as absent, as the Java records write it."""
        self._asked.append(name)
        value = self._values.get(name)
        if value is not None:
            return value
        if default is _REQUIRED:
            self.problems.add(f"{self._where}{name} is missing", "send it")
            return None
        return default

    def _wrong(self, name: str, value: Any, rule: str) -> None:
        self.problems.add(f"{self._where}{name} is {_quoted(value)}; it {rule}")


def _plain(text: str) -> str:
    short = text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "..."
    return short.encode("ascii", "backslashreplace").decode()


def _quoted(value: Any) -> str:
    return _plain(json.dumps(value))


def object_of(body: bytes) -> dict[str, Any]:
    """A body as a JSON object; an empty one is an empty object.

    Raises invalid_request for what is none, for numbers that JSON does not have, and for a name that comes twice.
    """
    if not body:
        return {}
    try:
        # Python's reader stops at the interpreter's depth, which says nothing of what a request needs.
        if _depth(body) > _DEEPEST:
            raise ValueError(f"it is nested deeper than {_DEEPEST}")
        value = json.loads(body.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError) as e:
        raise WorkerError("invalid_request", f"the body is not JSON: {_plain(str(e))}") from None
    if not isinstance(value, dict):
        raise WorkerError("invalid_request", "the body must be a JSON object")
    return value


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} is there twice")
    return values


def _depth(body: bytes) -> int:
    """The deepest nesting; brackets within texts do not count."""
    deepest = depth = 0
    for bracket in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', body, re.DOTALL):
        first = bracket.group()[:1]
        if first in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif first != b'"':
            depth -= 1
    return deepest
