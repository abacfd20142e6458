"""One process that runs functions, one call at a time; its parent kills it when a call's time is over.

Started by pool.py as `python3 -m sluice_hooks.worker CALLS_FD REPLIES_FD SETTINGS_JSON`. Calls and replies are lines of JSON.
What functions print goes to standard error: the pipes belong to the protocol.
"""

import asyncio
import importlib
import inspect
import json
import os
import sys
import traceback
from dataclasses import asdict, is_dataclass
from types import SimpleNamespace
from typing import Any, Callable

from .router import with_router
from .sample import Sample, stand_in_for_slime


class FunctionFault(Exception):
    """The function returned what its signature does not allow."""


def load(path: str) -> Callable[..., Any]:
    module, dot, name = path.rpartition(".")
    if not dot:
        raise ValueError(f"{path!r} is no path of a function; write package.module.function")
    return getattr(importlib.import_module(module), name)


def reward(call: Callable[..., Any], args: Any, body: dict[str, Any]) -> Any:
    return call(args, Sample.from_dict(body))


def group_reward(call: Callable[..., Any], args: Any, body: dict[str, Any]) -> Any:
    samples = [Sample.from_dict(one) for one in body["samples"]]
    rewards = list(call(args, samples))
    if len(rewards) != len(samples):
        raise FunctionFault(f"{len(samples)} samples were given and {len(rewards)} rewards came")
    return rewards


def generate(call: Callable[..., Any], args: Any, body: dict[str, Any]) -> Any:
    further = {"evaluation": bool(body.get("evaluation"))} if body["takes_evaluation"] else {}
    args = with_router(args, body.get("router_url"))
    result = call(args, Sample.from_dict(body["sample"]), body.get("sampling_params", {}), **further)
    samples = result if isinstance(result, list) else [result]
    return {"samples": [sample.to_dict() for sample in samples]}


def dynamic_filter(call: Callable[..., Any], args: Any, body: dict[str, Any]) -> Any:
    result = call(args, [Sample.from_dict(one) for one in body["samples"]])
    if is_dataclass(result):
        return asdict(result)
    return {"keep": bool(result), "reason": None}


HOOKS = {"reward": reward, "group-reward": group_reward, "generate": generate, "dynamic-filter": dynamic_filter}


def plain(value: Any) -> Any:
    """Numbers of other libraries, such as numpy's and torch's, as Python's own."""
    if hasattr(value, "item") and not isinstance(value, (int, float)):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON")


def answer(hook: str, function: Callable[..., Any], args: Any, loop: Any, body: dict[str, Any]) -> str:
    def call(*given: Any, **further: Any) -> Any:
        result = function(*given, **further)
        return loop.run_until_complete(result) if inspect.isawaitable(result) else result

    body["takes_evaluation"] = "evaluation" in inspect.signature(function).parameters
    # NaN and Infinity are no JSON: whoever reads it would refuse the whole reply.
    return json.dumps({"result": HOOKS[hook](call, args, body)}, default=plain, allow_nan=False)


def serve(calls: Any, replies: Any, settings: dict[str, Any]) -> None:
    stand_in_for_slime()
    functions = {hook: load(path) for hook, path in settings["functions"].items()}
    args = SimpleNamespace(**{"reward_key": None, "rm_type": None, "group_rm": False, **settings["args"]})
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    print(json.dumps({"ready": True}), file=replies, flush=True)
    for line in calls:
        request = json.loads(line)
        try:
            reply = answer(request["hook"], functions[request["hook"]], args, loop, request["body"])
        except Exception as fault:  # whatever a user's function raises is the reply
            lines = traceback.format_exc().splitlines()[-6:]
            reply = json.dumps({"fault": f"{type(fault).__name__}: {fault}"[:1000], "where": lines})
        print(reply, file=replies, flush=True)


def main() -> None:
    calls = os.fdopen(int(sys.argv[1]), "r", encoding="utf-8")
    replies = os.fdopen(int(sys.argv[2]), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(calls, replies, json.loads(sys.argv[3]))


if __name__ == "__main__":
    main()
