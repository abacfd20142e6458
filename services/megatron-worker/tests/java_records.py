"""The records of common/worker-api as their sources say: names, types and which of them may be absent."""

import re
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[3] / "common/worker-api/src/main/java/dev/sluice/workerapi"

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_RECORD = re.compile(r"\brecord (\w+)\(")
_ENUM = re.compile(r"\benum (\w+) \{")
_CONSTANT = re.compile(r'@JsonProperty\("([^"]+)"\)\s+[A-Z_]+')
_NUMBERS = ("int", "long", "Integer", "Long")


@dataclass(frozen=True)
class Component:
    name: str
    type: str
    may_be_absent: bool


class Records:
    """Read once. Nested records and enums go by their simple names, which are unique but for Optimizer and the like."""

    def __init__(self, sources: Path = SOURCES):
        self._components: dict[str, list[Component]] = {}
        self._constants: dict[str, list[str]] = {}
        for file in sorted(sources.glob("*.java")):
            text = _COMMENT.sub("", file.read_text())
            for found in _RECORD.finditer(text):
                name = found[1] if found[1] == file.stem else f"{file.stem}.{found[1]}"
                self._components[name] = _components(_parenthesised(text, found.end()))
            for found in _ENUM.finditer(text):
                name = found[1] if found[1] == file.stem else f"{file.stem}.{found[1]}"
                constants = _CONSTANT.findall(text[found.end() : text.index("}", found.end())])
                if constants:
                    self._constants[name] = constants
            if file.stem == "WorkerErrorCode":
                self.errors = {name.lower(): int(status) for name, status in re.findall(r"([A-Z_]+)\((\d+)\)", text)}

    def of(self, record: str) -> list[Component]:
        return self._components[record]

    def example(self, record: str) -> dict[str, object]:
        """A value for every component."""
        return {one.name: self._value(one.type, record) for one in self.of(record)}

    def problems(self, record: str, value: object, where: str = "") -> list[str]:
        """How a JSON value differs from what the record reads: nothing may be missing, of another type, or unknown to it."""
        if not isinstance(value, dict):
            return [f"{where or record} is {value!r}"]
        known = {one.name: one for one in self.of(record)}
        found = [f"{where}{name} is unknown to {record}" for name in value if name not in known]
        for name, one in known.items():
            if value.get(name) is None:
                if not one.may_be_absent:
                    found.append(f"{where}{name} is missing")
            else:
                found += self._problems(one.type, value[name], f"{where}{name}", record)
        return found

    def _problems(self, java: str, value: object, where: str, record: str) -> list[str]:
        inner = re.fullmatch(r"(?:List|Set)<(.+)>", java)
        if inner:
            if not isinstance(value, list):
                return [f"{where} is no list"]
            return [text for one in value for text in self._problems(inner[1], one, where, record)]
        named = self._named(java, record)
        if named in self._components:
            return self.problems(named, value, f"{where}.")
        if named in self._constants:
            return [] if value in self._constants[named] else [f"{where} is {value!r}, none of {named}"]
        right = {
            "String": isinstance(value, str),
            "Float32Array": isinstance(value, str),
            "JsonNode": True,
            "WorkerErrorCode": value in self.errors,
            "boolean": isinstance(value, bool),
            "double": isinstance(value, int | float) and not isinstance(value, bool),
            "Double": isinstance(value, int | float) and not isinstance(value, bool),
        } | {number: isinstance(value, int) and not isinstance(value, bool) for number in _NUMBERS}
        return [] if right[java] else [f"{where} is {value!r:.80}, no {java}"]

    def _named(self, java: str, record: str) -> str:
        outer = record.split(".")[0]
        nested = f"{outer}.{java}"
        return nested if nested in self._components or nested in self._constants else java

    def _value(self, java: str, record: str) -> object:
        inner = re.fullmatch(r"(?:List|Set)<(.+)>", java)
        if inner:
            return [self._value(inner[1], record)]
        named = self._named(java, record)
        if named in self._components:
            return {one.name: self._value(one.type, named) for one in self.of(named)}
        if named in self._constants:
            return self._constants[named][0]
        return "a" if java == "String" else False if java == "boolean" else 1


def _parenthesised(text: str, begin: int) -> str:
    depth, end = 1, begin
    while depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return text[begin : end - 1]


def _components(text: str) -> list[Component]:
    components = []
    for part in re.split(r",(?![^<(]*[>)])", text):
        words = re.sub(r"@\w+(\([^)]*\))?", lambda found: "?" if found[0] == "@Nullable" else "", part).split()
        if words:
            components.append(Component(words[-1], " ".join(words[:-1]).replace("?", "").strip(), "?" in words))
    return components
