"""What is refused before a rank meets the others."""

import http.client
import json

import pytest

from sluice_megatron.__main__ import TOKEN, main
from sluice_megatron.lease import Lease, seconds_of
from sluice_megatron.server import Answer, JsonServer, Settings


def test_it_refuses_to_listen_outside_without_a_token(tmp_path, monkeypatch, caplog):
    monkeypatch.delenv(TOKEN, raising=False)

    status = main(["--host", "0.0.0.0", "--data-root", str(tmp_path)])

    assert status == 2
    assert "--host 0.0.0.0 can be reached from outside but SLUICE_WORKER_TOKEN is not set" in caplog.text


def test_a_duration_that_is_none_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--data-root", str(tmp_path), "--lease", "soon"])

    assert "'soon' is no duration; write 60s, 5m or 1h30m" in capsys.readouterr().err


def test_durations_are_read_as_the_cpu_worker_reads_them():
    assert [seconds_of(text) for text in ("60s", "5m", "1h30m", "PT5M", "1.5s")] == [60, 300, 5400, 300, 1.5]
    for text in ("", "PT", "60", "s", "-5s"):
        with pytest.raises(ValueError):
            seconds_of(text)


def test_a_lease_is_over_when_no_call_renewed_it():
    now = [0.0]
    lease = Lease(60, lambda: now[0])
    now[0] = 59
    lease.renew()
    now[0] = 119
    assert not lease.is_over()
    now[0] = 119.5
    assert lease.is_over()


def test_a_port_that_is_taken_is_named():
    server = JsonServer(Settings("127.0.0.1", 0, 1, None), lambda request: Answer(200, {}))

    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{server.port}: Address already in use"):
        JsonServer(Settings("127.0.0.1", server.port, 1, None), lambda request: Answer(200, {}))

    server.stop()


@pytest.mark.parametrize("kind", [RuntimeError, OSError])
def test_what_nobody_foresaw_is_answered_and_not_hung_up_on(kind, caplog):
    def answer(request):
        raise kind("the store has gone")

    server = JsonServer(Settings("127.0.0.1", 0, 1, None), answer)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/health")
    reply = connection.getresponse()

    told = json.loads(reply.read())
    assert (reply.status, told["code"]) == (500, "internal")
    assert told["message"] == f"{kind.__name__}: the store has gone"
    assert "a request failed method=GET path=/health" in caplog.text
    connection.close()
    server.stop()
