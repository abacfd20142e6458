"""Two ranks under torchrun serve the API: the sequence that WorkerClient of common/worker-api expects."""

import http.client
import json
import socket

import pytest
from worker_process import PATIENCE, TOKEN, WorkerProcess


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    with WorkerProcess(tmp_path_factory.mktemp("shell")) as process:
        yield process.await_listening()


@pytest.fixture(scope="module", autouse=True)
def loaded(worker):
    before = worker.call("GET", "/health")
    status, operation = worker.load("load")
    return before, status, operation


def test_an_empty_worker_says_so_and_a_loaded_one_how_far_it_is(worker, loaded):
    before, _, _ = loaded
    assert before == (
        200,
        {"state": "empty", "runId": None, "epoch": -1, "step": -1, "batchSha256": None, "weightVersion": -1},
    )
    status, health = worker.call("GET", "/health")
    assert (status, health["state"], health["runId"]) == (200, "ready", "run")


def test_info_counts_the_ranks(worker):
    assert worker.call("GET", "/info")[1]["worldSize"] == 2


def test_a_call_that_is_done_at_once_gives_the_result_that_all_ranks_made_together(loaded):
    _, status, operation = loaded
    assert status == 200
    assert operation["state"] == "done" and operation["progress"] == 1
    assert operation["result"]["parameters"] == 2
    assert operation["error"] is None


def test_a_repeated_id_gets_the_first_answer_and_starts_nothing(worker):
    first = worker.post("save", "save-1", dir=str(worker.data / "once"))
    again = worker.call(
        "POST", "/save", {"epoch": 2, "operationId": "save-1", "dir": str(worker.data / "once"), "asynchronous": False}
    )
    assert first[1]["state"] == "done"
    assert again == first
    status, refusal = worker.call(
        "POST", "/save", {"epoch": 2, "operationId": "save-1", "dir": str(worker.data / "other")}
    )
    assert (status, refusal["code"]) == (400, "invalid_request")
    assert refusal["message"] == "operation save-1 was a different call"


def test_a_replaced_caller_is_refused(worker):
    worker.call("POST", "/save", {"epoch": 5, "operationId": "epoch-5", "dir": str(worker.data / "epoch-5")})
    status, refusal = worker.call("POST", "/save", {"epoch": 4, "operationId": "epoch-4", "dir": "/d"})
    assert status == 409
    assert refusal == {
        "code": "stale_epoch",
        "message": "epoch 4 has been replaced by epoch 5",
        "mend": "stop: another trainer owns this worker",
        "rank": None,
    }


def later(worker, verb, operation_id, **fields):
    return worker.call("POST", f"/{verb}", {"epoch": 9, "operationId": operation_id, **fields})


def test_a_long_call_answers_202_and_shows_the_phase_of_each_rank(worker):
    sent = {"runId": "run", "checkpoint": str(worker.data), "hfConfig": "/h", "args": ["all:nap7"]}
    status, operation = later(worker, "load", "long", **sent)
    assert status == 202
    assert operation["state"] == "running" and operation["progress"] == 0.5
    ranks = worker.call("GET", "/operations/long")[1]["ranks"]
    assert [(entry["rank"], entry["phase"]) for entry in ranks] == [(0, "load"), (1, "load")]
    assert worker.call("GET", "/health")[1]["state"] == "working"
    assert worker.await_end("long")["state"] == "done"


def test_an_error_that_all_ranks_agree_on_fails_the_call_alone(worker):
    sent = {"runId": "run", "checkpoint": str(worker.data / "none"), "hfConfig": "/h"}
    status, operation = later(worker, "load", "no-such", **sent)
    assert (status, operation["state"]) == (200, "failed")
    assert operation["error"] == {
        "code": "path_refused",
        "message": f"{worker.data / 'none'} does not exist",
        "mend": "see that all services share the data root",
        "rank": None,
    }
    assert worker.call("GET", "/health")[1]["state"] == "ready"


def test_a_path_that_leads_out_is_refused(worker):
    for name, path in {"up": f"{worker.data}/../../etc", "etc": "/etc/x", "relative": "x"}.items():
        _, operation = later(worker, "save", f"out-{name}", dir=path)
        assert operation["error"]["code"] == "path_refused", path


def test_an_asynchronous_save_is_written_while_other_calls_compute(worker):
    status, operation = later(worker, "save", "slow", dir=str(worker.data / "slow"), asynchronous=True)
    assert (status, operation["state"]) == (202, "running")
    _, between = later(worker, "save", "between", dir=str(worker.data / "between"))
    assert between["state"] == "done"
    done = worker.await_end("slow")
    assert done["result"]["bytes"] == 2
    assert sorted(file.name for file in (worker.data / "slow").iterdir()) == ["part-0", "part-1"]


def test_a_disk_that_fills_on_one_rank_fails_the_save_and_leaves_nothing(worker):
    later(worker, "save", "full", dir=str(worker.data / "full"), asynchronous=True)
    error = worker.await_end("full")["error"]
    assert (error["code"], error["rank"]) == ("disk_full", 1)
    assert not (worker.data / "full").exists()
    assert worker.call("GET", "/health")[1]["state"] == "ready"


def test_an_operation_that_is_not_known_is_not_found(worker):
    status, refusal = worker.call("GET", "/operations/never")
    assert (status, refusal["code"]) == (404, "not_found")
    assert refusal["message"] == "operation never is not known here"


def test_other_paths_and_methods_are_not_found(worker):
    assert worker.call("GET", "/nothing")[1]["message"] == "there is no /nothing"
    assert worker.call("GET", "/train")[1]["message"] == "no GET on /train"
    assert worker.call("PUT", "/health")[0] == 404


def test_a_wrong_token_is_refused_before_anything_is_read(worker):
    for token in (None, "another", "ü"):
        status, refusal = worker.call("POST", "/load", b"{", token=token)
        assert (status, refusal["code"]) == (401, "unauthorised")


def test_bodies_that_are_no_call_are_refused_with_all_that_is_wrong(worker):
    hostile = {
        b"{": "not JSON",
        b"[]": "must be a JSON object",
        b"\xff": "not JSON",
        b"[" * 100_000: "deeper than 64",
        b'{"epoch": NaN}': "no number of JSON",
        b'{"epoch": 1, "epoch": 2}': "twice",
        b"": "epoch is missing; operationId is missing; runId is missing; checkpoint is missing; hfConfig is missing",
        b'{"epoch": true, "operationId": "../health", "runId": 7, "hfconfig": "/h"}': "did you mean hfConfig",
        b'{"epoch": ' + b"9" * 5000 + b"}": "",
    }
    for body, reason in hostile.items():
        status, refusal = worker.call("POST", "/load", body)
        assert (status, refusal["code"]) == (400, "invalid_request"), body[:40]
        assert reason in refusal["message"]
    assert worker.call("GET", "/health")[0] == 200


def test_a_body_that_is_too_long_is_refused_and_its_sender_reads_why(worker):
    status, refusal = worker.call("POST", "/load", b" " * (3 << 20))
    assert (status, refusal["message"]) == (400, "the body exceeds 1048576 bytes")


def raw(worker, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", worker.port), PATIENCE) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_what_is_not_http_is_refused_in_the_apis_words(worker):
    head = f"POST /load HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n".encode()
    for request in (
        b"nonsense\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        head + b"Content-Length: -5\r\n\r\n",
        head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
    ):
        answer = raw(worker, request)
        assert answer.startswith(b"HTTP/1.1 4"), request[:60]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "invalid_request"
    assert raw(worker, head + b"Content-Length: 50\r\n\r\n{") == b""


def test_one_connection_serves_many_calls(worker):
    connection = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=PATIENCE)
    for _ in range(3):
        connection.request("GET", "/health", headers={"Authorization": f"Bearer {TOKEN}"})
        first = connection.sock
        assert connection.getresponse().read()
        assert connection.sock is first
    connection.close()


def test_zz_shutdown_ends_all_ranks_with_status_0(worker):
    status, answer = worker.call("POST", "/shutdown", {"epoch": 9, "operationId": "stop"})
    assert (status, answer) == (202, {"stopping": True})
    assert worker.await_exit() == 0
