"""Batch files: read as common/worker-api writes them, and refused in its words where they contradict themselves."""

import hashlib
import json
import os

import batches
import golden
import pytest
import torch

from sluice_megatron import batch
from sluice_megatron.errors import WorkerError


@pytest.fixture
def file():
    return batches.of(lengths=[3, 4], prompts=[1, 2])


def refusal(file, tmp_path):
    with pytest.raises(WorkerError) as refused:
        batch.read(file.write(tmp_path / "batch"))
    assert refused.value.code == "bad_batch"
    return refused.value.message


def test_a_batch_that_the_java_client_wrote_is_read():
    read = batch.read(golden.FIXTURES / "golden" / "batch.safetensors")

    assert read.header.run_id == "run-1"
    assert (read.header.step, read.header.epoch, read.header.top_k) == (4, 2, 0)
    assert (read.header.temperature, read.header.top_p) == (0.8, 1.0)
    assert read.header.content_sha256 == "ab12"
    assert (read.header.loss_normaliser.kind, read.header.loss_normaliser.value) == ("sample", 2.0)
    assert read.tokens.tolist() == [5, 6, 7, 8, 9, 10, 11]
    assert read.cu_seqlens.tolist() == [0, 3, 7]
    assert read.prompt_lengths.tolist() == [1, 2]
    assert read.sample_id.tolist() == [1 << 40, 2]
    assert read.truncated.tolist() == [0, 1]
    assert read.loss_mask.tolist() == [0, 1, 1, 0, 0, 1, 1]
    assert read.rollout_logprobs.tolist() == [0, -1, -2, 0, 0, -3, -4.25]
    assert read.weight_version.tolist() == [0, 3, 3, 0, 0, 3, 4]
    assert read.schedule.tolist() == [[0, 0, 0], [1, 0, 0]]
    assert read.column("old_logprobs").tolist() == [0, -1, -2, 0, 0, -3, -4]


def test_the_hash_is_that_of_the_files_bytes(file, tmp_path):
    path = file.write(tmp_path / "batch")

    assert batch.read(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_column_comes_back_as_it_was_written(file, tmp_path):
    read = batch.read(file.write(tmp_path / "batch"))

    for name, column in file.columns.items():
        assert torch.equal(read.optional.get(name, getattr(read, name, None)), column), name


def test_a_column_that_the_loss_needs_and_the_batch_lacks_is_named(file, tmp_path):
    del file.columns["ref_logprobs"]
    read = batch.read(file.write(tmp_path / "batch"))

    with pytest.raises(WorkerError, match="the loss needs the column ref_logprobs, which the batch lacks"):
        read.column("ref_logprobs")


CONTRADICTIONS = {
    "a gradient in a prompt": ("loss_mask", [0], 1, "token 0 is in the prompt of sample 0 but not masked"),
    "an advantage in a prompt": ("advantages", [4], 0.5, "token 4 is in the prompt of sample 1 but not masked"),
    "bounds beyond the tokens": ("cu_seqlens", [2], 9, "cu_seqlens goes from 0 to 9, expected 0 to 7"),
    "a bound that cuts a prompt": ("cu_seqlens", [1], 6, "sample 1 has 1 tokens, of which 2 are its prompt"),
    "a bound amid them beyond the tokens": (
        "cu_seqlens",
        [1],
        99,
        "sample 0 goes from 0 to 99 of 7 tokens; sample 1 has ",
    ),
    "bounds of the other sign": ("cu_seqlens", [1], -(2**31), "sample 0 goes from 0 to -2147483648 of 7 tokens"),
    "an empty prompt": ("prompt_lengths", [0], 0, "sample 0 has 3 tokens, of which 0 are its prompt"),
    "a prompt beyond its sample": ("prompt_lengths", [1], 5, "sample 1 has 4 tokens, of which 5 are its prompt"),
    "a mask of 2": ("loss_mask", [2], 2, "loss_mask[2] is 2, neither 0 nor 1"),
    "an advantage that is no number": (
        "advantages",
        [2],
        float("nan"),
        "token 2 has the advantage NaN and the log-pro",
    ),
    "an infinite log-probability": ("rollout_logprobs", [2], float("-inf"), "and the log-probability -Infinity"),
    "an old log-probability that is no number": ("old_logprobs", [6], float("nan"), "old_logprobs[6] is NaN"),
    "a return that is infinite": ("returns", [5], float("inf"), "returns[5] is Infinity"),
    "a denominator of 0": ("loss_denominator", [1], 0.0, "loss_denominator[1] is 0.0, not above 0"),
    "a denominator that is no number": ("loss_denominator", [0], float("nan"), "loss_denominator[0] is NaN, not above"),
    "a negative rank": ("schedule", [1, 1], -1, "the schedule of sample 1 is (0, -1, 0)"),
    "an optimizer step beyond the samples": ("schedule", [0, 0], 2, "the schedule of sample 0 is (2, 0, 0)"),
}


@pytest.mark.parametrize("contradiction", CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_a_contradiction_is_refused_with_its_place(file, tmp_path, contradiction):
    column, place, value, words = contradiction
    file.columns[column][tuple(place)] = value

    message = refusal(file, tmp_path)

    assert "the batch contradicts itself in " in message
    assert words in message


def test_an_optimizer_step_without_samples_is_refused(tmp_path):
    file = batches.of([3, 4, 3], [1, 2, 1], schedule=[[0, 0, 0], [2, 0, 0], [2, 0, 1]])

    assert "optimizer step 1 of 3 has no sample" in refusal(file, tmp_path)


def test_all_problems_are_counted_and_the_first_ten_have_words(file, tmp_path):
    file.columns["old_logprobs"][:] = float("nan")
    file.columns["values"][:] = float("inf")

    message = refusal(file, tmp_path)

    assert message.startswith("the batch contradicts itself in 14 places: old_logprobs[0] is NaN; ")
    assert message.endswith("; values[2] is Infinity")


def test_every_column_of_a_wrong_length_is_named(file, tmp_path):
    file.columns["loss_mask"] = torch.zeros(6, dtype=torch.uint8)
    file.columns["returns"] = torch.zeros(8)

    message = refusal(file, tmp_path)

    assert "loss_mask has 6 entries, expected 7; returns has 8 entries, expected 7" in message


def test_a_column_of_another_shape_is_named(file, tmp_path):
    file.columns["schedule"] = torch.zeros(6, dtype=torch.int32)
    file.columns["tokens"] = file.columns["tokens"].reshape(1, 7)

    message = refusal(file, tmp_path)

    assert "tokens has the shape [1, 7]; schedule has the shape [6]" in message


METADATA = {
    "temperature 0": ({"temperature": "0"}, "temperature is 0.0, not above 0"),
    "temperature NaN": ({"temperature": "NaN"}, "temperature is NaN, not above 0"),
    "a constant of 0": (
        {"lossNormaliser": '{"kind":"constant","value":0}'},
        "lossNormaliser CONSTANT has the divisor 0",
    ),
    "a negative divisor": (
        {"lossNormaliser": '{"kind":"token","value":-1}'},
        "lossNormaliser TOKEN has the divisor -1.0",
    ),
    "another kind": ({"lossNormaliser": '{"kind":"median"}'}, 'not {"kind": one of sample, token, constant'),
    "no JSON": ({"lossNormaliser": "[" * 100_000}, "lossNormaliser is '[[["),
    "an endless divisor": ({"lossNormaliser": '{"kind":"token","value":1' + "0" * 5000 + "}"}, "lossNormaliser is '"),
    "another format": ({"formatVersion": "2"}, "format version 2; this worker reads 1"),
    "a step that is no number": ({"step": "1_0", "epoch": "x"}, "step is '1_0', not a whole number; epoch is 'x'"),
}


@pytest.mark.parametrize("changed", METADATA.values(), ids=METADATA.keys())
def test_metadata_that_makes_no_sense_is_refused(file, tmp_path, changed):
    entries, words = changed
    file.metadata |= entries

    assert words in refusal(file, tmp_path)


def test_all_missing_metadata_is_named(file, tmp_path):
    del file.metadata["runId"], file.metadata["topP"]

    assert "the metadata lacks runId; the metadata lacks topP" in refusal(file, tmp_path)


def test_missing_columns_and_other_types_are_named_together(file, tmp_path):
    del file.columns["advantages"]
    file.columns["tokens"] = file.columns["tokens"].long()
    file.columns["values"] = file.columns["values"].double()

    message = refusal(file, tmp_path)

    assert "it has no tensor advantages; tokens is I64, expected I32; values is F64, expected F32" in message


def test_a_batch_without_samples_is_refused(tmp_path):
    file = batches.of([2], [1])
    file.columns = {name: column[:0] for name, column in file.columns.items()}
    file.columns["cu_seqlens"] = torch.zeros(1, dtype=torch.int32)

    assert "there is no sample" in refusal(file, tmp_path)


def raw(tmp_path, header: object, data: bytes = b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = tmp_path / "raw"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


HOSTILE = {
    "nothing": (b"", "has 0 bytes, fewer than the 8 of a header length"),
    "an endless header": (b"\xff" * 16, "claims a header of 18446744073709551615 bytes in a file of 16 bytes"),
    "a header beyond the file": ((99).to_bytes(8, "little") + b"{}", "claims a header of 99 bytes in a file of 10"),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_that_is_no_safetensors_is_refused(tmp_path, hostile):
    content, words = hostile
    (tmp_path / "raw").write_bytes(content)

    with pytest.raises(WorkerError) as refused:
        batch.read(tmp_path / "raw")

    assert words in refused.value.message


def tensor(begin: int, end: int, **changed) -> dict:
    return {"dtype": "F32", "shape": [(end - begin) // 4], "data_offsets": [begin, end]} | changed


HEADERS = {
    "no JSON": (b"{]", b"", "has a header that is no JSON"),
    "a list": (b"[]", b"", "has a header that is no JSON object"),
    "nested without end": (b"[" * 200_000, b"", "has a header that is no JSON"),
    "no text": (b"\xff\xfe\xff\xfe", b"", "has a header that is no JSON"),
    "a name twice": (b'{"a":1,"a":2}', b"", "a name stands there twice"),
    "a tensor that is a number": ({"a": 1}, b"", "describes tensor a without a shape and two data offsets"),
    "a negative size": ({"a": tensor(0, 4, shape=[-1])}, bytes(4), "describes tensor a without a shape"),
    "a size that is true": ({"a": tensor(0, 4, shape=[True])}, bytes(4), "describes tensor a without a shape"),
    "one offset": ({"a": tensor(0, 4, data_offsets=[0])}, bytes(4), "describes tensor a without a shape"),
    "an end before its begin": ({"a": tensor(8, 4, shape=[1])}, bytes(8), "ends at 4, before it begins at 8"),
    "a hole": ({"a": tensor(0, 4), "b": tensor(8, 12)}, bytes(12), "has a hole: tensor b begins at 8"),
    "an overlap": ({"a": tensor(0, 8), "b": tensor(4, 12)}, bytes(12), "has overlapping tensors: tensor b begins at 4"),
    "too little data": (
        {"a": tensor(0, 8)},
        bytes(4),
        "is truncated: its header needs 8 bytes of data, the file has 4",
    ),
    "too much data": ({"a": tensor(0, 4)}, bytes(9), "is too long: its header needs 4 bytes of data, the file has 9"),
    "metadata of numbers": ({"__metadata__": {"step": 1}}, b"", "has __metadata__ with something else than texts"),
}


@pytest.mark.parametrize("hostile", HEADERS.values(), ids=HEADERS.keys())
def test_a_header_that_lies_is_refused(tmp_path, hostile):
    header, data, words = hostile

    with pytest.raises(WorkerError) as refused:
        batch.read(raw(tmp_path, header, data))

    assert refused.value.code == "bad_batch"
    assert words in refused.value.message


def test_a_shape_that_its_bytes_do_not_fill_is_refused(file, tmp_path):
    path = file.write(tmp_path / "batch")
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"dtype":"I32","shape":[2,3]', b'"dtype":"I32","shape":[9,3]'))

    with pytest.raises(WorkerError, match=r"tensor schedule of the shape \[9, 3\] needs 108 bytes"):
        batch.read(path)


def test_a_cut_file_is_refused(file, tmp_path):
    path = file.write(tmp_path / "batch")
    path.write_bytes(path.read_bytes()[:-5])

    with pytest.raises(WorkerError, match="is truncated"):
        batch.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WorkerError, match="nowhere: cannot be read: No such file or directory"):
        batch.read(tmp_path / "nowhere")


def test_a_folder_and_a_pipe_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(WorkerError, match="it is no regular file"):
            batch.read(path)


def test_a_file_above_the_bound_is_refused_before_it_is_read(tmp_path):
    with open(tmp_path / "huge", "wb") as huge:
        huge.truncate(1 << 40)  # sparse: takes no space

    with pytest.raises(WorkerError, match="it has 1099511627776 bytes; a batch may have 8589934592"):
        batch.read(tmp_path / "huge")


def test_a_batch_of_another_run_or_step_is_refused(file, tmp_path):
    read = batch.read(file.write(tmp_path / "batch"))

    batch.refuse_other(read, "run-1", 4)
    with pytest.raises(WorkerError, match="of run run-1, step 4, but run run-2 is loaded and step 5 was asked for"):
        batch.refuse_other(read, "run-2", 5)


@pytest.mark.parametrize("token", [-1, 300, 2**31 - 1])
def test_a_token_outside_the_vocabulary_is_refused(file, tmp_path, token):
    file.columns["tokens"][3] = token
    file.columns["tokens"][5] = token
    read = batch.read(file.write(tmp_path / "batch"))

    with pytest.raises(WorkerError, match=f"token 3 is {token} but the model's vocabulary has 300 .the first of 2"):
        batch.refuse_misfit(read, 300, 16)


def test_a_sample_beyond_the_models_positions_is_refused(file, tmp_path):
    read = batch.read(file.write(tmp_path / "batch"))

    batch.refuse_misfit(read, 300, 4)
    with pytest.raises(WorkerError, match="sample 1 has 4 tokens but the model's positions end at 3"):
        batch.refuse_misfit(read, 300, 3)
