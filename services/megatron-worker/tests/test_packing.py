"""Packed rows: every column at the predicting position, padding that counts nothing, and nothing lost over ranks."""

import batches
import golden
import pytest
import torch

from sluice_megatron import batch
from sluice_megatron.packing import Layout, pack, zigzag

ZIGZAG = golden.read("zigzag.json")["cases"]
LAYOUTS = [
    Layout(),
    Layout(multiple=8),
    Layout(multiple=3, context_ranks=2),
    Layout(multiple=16, context_ranks=4),
]


@pytest.fixture
def whole(tmp_path):
    return batch.read(batches.of([5, 9, 1, 2, 6], [2, 3, 1, 1, 5], seed=3).write(tmp_path / "batch"))


@pytest.mark.parametrize("case", ZIGZAG, ids=lambda case: f"{case['total']} tokens over {case['ranks']} ranks")
def test_a_rank_owns_the_chunks_that_slime_gives_it(tmp_path, case):
    total, response, ranks = case["total"], case["response"], case["ranks"]
    file = batches.of([total], [total - response])
    file.columns["loss_mask"][total - response :] = 1
    row = pack(batch.read(file.write(tmp_path / "batch")), [0], 1.0, Layout(context_ranks=ranks))

    assert row.cu_seqlens.tolist() == [0, 2 * ranks * case["chunk"]]
    for rank, expected in enumerate(case["byRank"]):
        owned = [p for begin, end in expected["chunks"] for p in range(begin, end)]
        predicting = [p for begin, end in expected["predicting"] for p in range(begin, end)]
        tokens = [t for begin, end in expected["tokens"] for t in range(begin, end)]
        local = row.of_context_rank(rank)
        assert zigzag([0, 2 * ranks * case["chunk"]], ranks, rank).tolist() == owned
        assert local.positions.tolist() == owned
        trained = local.loss_mask > 0
        assert local.positions[trained].tolist() == predicting
        assert local.target[trained].tolist() == tokens


def test_every_column_stands_at_the_position_that_predicts_its_token(whole):
    row = pack(whole, [1, 0], 2.0, Layout())

    assert row.cu_seqlens.tolist() == [0, 9, 14]
    assert row.tokens.tolist() == [*whole.tokens[5:14].tolist(), *whole.tokens[0:5].tolist()]
    assert row.positions.tolist() == [*range(9), *range(5)]
    assert row.target.tolist() == [*range(6, 14), -1, 1, 2, 3, 4, -1]
    assert row.sequence.tolist() == [0] * 9 + [1] * 5
    for column, packed in (
        (whole.tokens, row.labels),
        (whole.loss_mask, row.loss_mask),
        (whole.advantages, row.advantages),
        (whole.rollout_logprobs, row.rollout),
        (whole.optional["old_logprobs"], row.old),
        (whole.optional["ref_logprobs"], row.reference),
        (whole.optional["values"], row.values),
        (whole.optional["returns"], row.returns),
    ):
        assert packed[:8].tolist() == column[6:14].tolist()
        assert packed[9:13].tolist() == column[1:5].tolist()
        assert packed[[8, 13]].tolist() == [0, 0]


@pytest.mark.parametrize(("kind", "divisor"), [("sample", 3.0), ("token", 17.0), ("constant", 640.0)])
def test_a_weight_is_the_mask_divided_as_the_normaliser_says(tmp_path, kind, divisor):
    file = batches.of([5, 9], [2, 3], kind=kind, divisor=divisor)
    file.columns["loss_denominator"] = torch.tensor([4.0, 7.0])
    whole = batch.read(file.write(tmp_path / "batch"))

    row = pack(whole, [0, 1], divisor, Layout())

    expected = [
        float(whole.loss_mask[t]) / (divisor * (4.0 if t < 5 else 7.0) if kind == "sample" else divisor)
        for t in (*range(1, 5), *range(6, 14))
    ]
    torch.testing.assert_close(row.weights[row.target >= 0], torch.tensor(expected), rtol=1e-7, atol=0)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_rows_have_the_lengths_that_their_layout_asks_for(whole, layout):
    row = pack(whole, [0, 1, 2, 3, 4], 1.0, layout)

    lengths = row.cu_seqlens.diff()
    assert row.cu_seqlens[-1] == len(row.tokens)
    assert len(row.of_context_rank(0).tokens) * layout.context_ranks == len(row.tokens)
    assert len(row.of_context_rank(0).tokens) % layout.multiple == 0
    assert (lengths % layout.chunk == 0).all()
    assert row.longest == int(lengths.max())
    padding = row.target < 0
    assert not row.weights[padding].any() and not row.loss_mask[padding].any()


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_every_token_comes_back_once_from_all_context_ranks_together(whole, layout):
    row = pack(whole, [3, 1, 4, 0, 2], 1.0, layout)
    column = torch.full((len(whole.tokens),), -1.0)
    seen = torch.zeros(len(whole.tokens), dtype=torch.int64)

    for rank in range(layout.context_ranks):
        local = row.of_context_rank(rank)
        local.unpack(local.labels.float(), column)
        predicted = local.target[local.target >= 0]
        seen.index_add_(0, predicted, torch.ones_like(predicted))

    first = torch.zeros(len(whole.tokens), dtype=torch.bool)
    first[whole.cu_seqlens[:-1].long()] = True
    assert torch.equal(seen, (~first).long())
    assert torch.equal(column, torch.where(first, torch.tensor(-1.0), whole.tokens.float()))


def test_multi_token_prediction_looks_one_token_further_and_never_into_the_next_sample(whole):
    row = pack(whole, [0, 4], 1.0, Layout())

    first, last = whole.tokens[0:5].tolist(), whole.tokens[17:23].tolist()
    assert row.mtp_labels.tolist() == [*first[2:], 0, 0, *last[2:], 0, 0]
    assert row.mtp_weights.tolist() == [*row.weights[1:5].tolist(), 0, *row.weights[6:11].tolist(), 0]


def test_a_column_that_the_batch_lacks_is_absent(tmp_path):
    file = batches.of([3], [1])
    del file.columns["ref_logprobs"]

    row = pack(batch.read(file.write(tmp_path / "batch")), [0], 1.0, Layout()).to("cpu")

    assert row.reference is None
    assert row.old is not None
