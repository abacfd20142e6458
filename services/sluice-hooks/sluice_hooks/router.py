"""How a generate function asks the model: slime's `post`, to the router of the rollout instance that asked for the sample.

A request keeps its `sampling_params` as they were given: their `custom_params` tell the router which sample it is for, and so within
which weight versions. The router answers 409 where no engine holds such a version, and 410 where nobody waits for the sample any more.
"""

import asyncio
import json
import urllib.error
import urllib.request
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

RETRIES = 60
PAUSE_SECONDS = 1.0
NO_ENGINE_NOW = 503
MAX_REASON = 1000


class HTTPStatusError(Exception):
    """The router refused a request; `status` is 409 where no engine holds an allowed weight version."""

    def __init__(self, status: int, url: str, body: str):
        super().__init__(f"{url} answered {status}: {body[:MAX_REASON]}")
        self.status = status


def with_router(args: SimpleNamespace, url: str | None) -> SimpleNamespace:
    """The arguments with slime's names of the router's address."""
    if not url:
        return args
    address = urlsplit(url)
    return SimpleNamespace(**{**vars(args), "sglang_router_ip": address.hostname, "sglang_router_port": address.port or 80})


async def post(url: str, payload: Any, max_retries: int = RETRIES, headers: dict[str, str] | None = None) -> Any:
    """slime.utils.http_utils.post: the JSON reply. What is refused raises at once; it is tried again where no engine takes work now."""
    for attempt in range(1, max_retries + 1):
        try:
            return await asyncio.to_thread(once, url, payload, headers)
        except HTTPStatusError as refused:
            if refused.status != NO_ENGINE_NOW or attempt == max_retries:
                raise
        await asyncio.sleep(PAUSE_SECONDS)


def once(url: str, payload: Any, headers: dict[str, str] | None) -> Any:
    data = json.dumps(payload).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # an engine is never behind a proxy
    try:
        with opener.open(request) as reply:
            return json.loads(reply.read())
    except urllib.error.HTTPError as refused:
        raise HTTPStatusError(refused.code, url, refused.read().decode(errors="replace")) from None
