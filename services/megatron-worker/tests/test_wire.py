"""Calls are read as the Java records of common/worker-api read them, or refused with all that is wrong."""

import json

import pytest

from sluice_megatron.errors import WorkerError
from sluice_megatron.loss_config import MismatchCorrection, Optimizer
from sluice_megatron.wire import read_call

CALLER = {"epoch": 1, "operationId": "o"}
GRPO = {"algorithm": "grpo", "clipLow": 0.2, "clipHigh": 0.28, "learningRate": 1e-6}


def read(verb, **fields):
    return read_call(verb, json.dumps({**CALLER, **fields}).encode())


def refused(verb, **fields):
    with pytest.raises(WorkerError) as refusal:
        read(verb, **fields)
    assert refusal.value.code == "invalid_request"
    return refusal.value


def train(**loss):
    return {"step": 5, "batch": "/b", "model": "policy", "loss": {**GRPO, **loss}}


def test_a_train_request_is_read_with_the_defaults_of_what_it_leaves_out():
    # The defaults of LossConfig.grpo(1e-6, 0) and Optimizer.DEFAULT in common/worker-api.
    request = read("train", **train())

    assert (request.loss.clip_low, request.loss.clip_high, request.loss.learning_rate) == (0.2, 0.28, 1e-6)
    assert request.loss.optimizer == Optimizer(0, 0.9, 0.98, 1e-8, 1.0)
    assert (request.loss.old_logprobs, request.loss.kl_type) == ("rollout", "low_var_kl")
    assert request.loss.critic is None and not request.renew_reference


def test_a_train_request_is_read_as_java_writes_it():
    # What Json.MAPPER writes of a TrainRequest with every field of LossConfig.
    text = (
        '{"epoch":3,"operationId":"t","step":7,"batch":"/b","model":"critic","loss":{"algorithm":"ppo","clipLow":0.2,'
        '"clipHigh":0.28,"dualClip":3.0,"klLossCoefficient":0.01,"entropyCoefficient":0.001,"mtpLossScale":0.2,'
        '"oldLogprobs":"batch","mismatchCorrection":{"type":"icepop","low":0.5,"high":2.0,"level":"geometric",'
        '"veto":1.0E-4},"learningRate":1.0E-6,"optimizer":{"weightDecay":0.1,"beta1":0.9,"beta2":0.98,"epsilon":1.0E-8,'
        '"maxGradNorm":1.0},"klType":"k3","unbiasedKl":true,"opsmDelta":0.1,"critic":{"valueClip":0.2,'
        '"learningRate":1.0E-5}},"renewReference":true}'
    )

    request = read_call("train", text.encode())

    assert (request.step, request.model, request.renew_reference) == (7, "critic", True)
    assert request.loss.mismatch_correction == MismatchCorrection("icepop", 0.5, 2.0, "geometric", 1e-4)
    assert (request.loss.dual_clip, request.loss.opsm_delta, request.loss.unbiased_kl) == (3.0, 0.1, True)
    assert (request.loss.critic.value_clip, request.loss.critic.learning_rate) == (0.2, 1e-5)
    assert request.loss.optimizer.weight_decay == 0.1


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ({"algorithm": "grpoo"}, 'algorithm "grpoo" is not known; use one of cispo, gspo, grpo, ppo, '),
        ({"clipLow": 0}, "clipLow is 0.0; it must lie above 0 and be at most 1"),
        ({"clipHigh": 0}, "clipHigh is 0.0; it must be positive"),
        ({"dualClip": 1}, "dualClip is 1.0; it must be above 1, or absent"),
        ({"algorithm": "cispo", "dualClip": 3}, "dualClip is 3.0; cispo has no second clip"),
        ({"learningRate": -1}, "learningRate is -1.0; it must be finite and not negative"),
        ({"mtpLossScale": -1}, "mtpLossScale is -1.0 and klLossCoefficient 0.0; neither may be negative"),
        ({"opsmDelta": -1}, "opsmDelta is -1.0; it must not be negative, or be absent"),
        (
            {"critic": {"valueClip": 0, "learningRate": 1}},
            "critic has valueClip 0.0 and learningRate 1.0; the first must",
        ),
        ({"optimizer": {"beta1": 1}}, "optimizer.weightDecay is missing"),
        ({"mismatchCorrection": {"type": "tis", "low": 2, "high": 1}}, "mismatchCorrection goes from 2.0 to 1.0; low"),
        (
            {"mismatchCorrection": {"type": "tis", "low": 0, "high": 1}},
            "mismatchCorrection needs old log-probabilities that are not the engine's own",
        ),
        ({"klType": "k4"}, 'klType is "k4"; it must be one of k1, k2, k3, low_var_kl'),
        ({"clipHihg": 1}, "clipHihg is not known (did you mean clipHigh?)"),
    ],
)
def test_a_loss_that_cannot_be_used_is_refused_in_the_words_of_the_java_record(loss, words):
    refusal = refused("train", **train(**loss))

    assert refusal.message.startswith("the loss cannot be used: ")
    assert words in refusal.message


def test_all_problems_of_a_request_are_told_at_once():
    refusal = refused("train", epoch=-1, operationId="../health", model="judge", step=1.5, loss={})

    for words in (
        "epoch is -1",
        "operationId is ../health",
        "step is 1.5; it must be a whole number",
        "batch is missing",
        'model is "judge"; it must be one of policy, reference, teacher, critic',
        "the loss cannot be used: algorithm is missing; clipLow is missing; clipHigh is missing; learningRate is miss",
    ):
        assert words in refusal.message
    assert "send 1 to 120 characters of A-Z a-z 0-9 . _ : -" in refusal.mend


def test_a_cut_needs_no_checkpoint_and_absent_parts_may_be_null():
    request = read("load", runId="r", checkpoint=None, reference=None, hfConfig="/h", args=["--a"], resumeFrom="/cut")

    assert (request.checkpoint, request.resume_from, request.args) == (None, "/cut", ("--a",))
    assert refused("load", runId="r", hfConfig="/h").message == "checkpoint is missing"


def test_requests_that_ask_for_the_same_are_equal_whoever_asks():
    first = read("forward", batch="/b", model="policy", want=["logprobs", "entropy"], out="/o")
    successor = read("forward", epoch=9, batch="/b", model="policy", want=["entropy", "logprobs"], out="/o")

    assert first != successor
    assert first.content() == successor.content()
    assert first.content() != read("forward", batch="/b", model="policy", want=["entropy"], out="/o").content()


def test_a_group_counts_the_engines_ranks_after_the_worker():
    engines = [{"address": "http://10.0.0.2:30000", "ranks": 4}, {"address": "http://10.0.0.3:30000", "ranks": 2}]
    sent = {"masterAddress": "10.0.0.1", "masterPort": 29600, "groupName": "weights", "engines": engines}

    request = read("connect", **sent)

    assert (request.world_size, request.backend) == (7, "nccl")
    assert request.addresses == ("http://10.0.0.2:30000", "http://10.0.0.3:30000")
    assert "masterPort is 70000" in refused("connect", **{**sent, "masterPort": 70000}).message


def test_a_group_names_each_engine_once_with_its_ranks():
    sent = {"masterAddress": "10.0.0.1", "masterPort": 29600, "groupName": "weights"}
    for engines, message in (
        (None, "engines is missing"),
        ([], "engines is []; it must be a list of objects, at least one"),
        (["http://a:1"], 'engines is ["http://a:1"]; it must be a list of objects, at least one'),
        ([{"address": "http://a:1"}], "engines[0].ranks is missing"),
        ([{"address": "http://a:1", "ranks": 0}], "engines[0].ranks is 0"),
        ([{"address": "a:1", "ranks": 1}], "engine 'a:1' is no address"),
        ([{"address": "http://a:1", "ranks": 1}] * 2, "engines names one twice"),
        ([{"address": "http://a:1", "ranks": 1, "rank": 1}], "engines[0].rank is not known (did you mean ranks?)"),
    ):
        assert refused("connect", **sent, engines=engines).message == message


def test_weights_are_sent_to_addresses_only():
    request = read("send", version=3, transport="tensor", engines=["http://10.0.0.1:30000"])

    assert (request.engines, request.flush_cache) == (("http://10.0.0.1:30000",), False)
    for address in ("file:///etc/passwd", "http://user:word@host", "http://", "host:1", "http://[x"):
        assert "is no address" in refused("send", version=3, transport="tensor", engines=[address]).message
    refusal = refused("send", version=3, transport="nccl", engines=[])
    assert refusal.message == "groupName is missing; engines is empty"


def test_what_is_moved_off_the_gpu_is_named():
    assert read("offload", what=["weights", "optimizer"]).what == {"weights", "optimizer"}
    assert refused("onload", what=[]).message == "what is empty"
    assert "may hold weights, optimizer, gradients" in refused("onload", what=["kv_cache"]).message
