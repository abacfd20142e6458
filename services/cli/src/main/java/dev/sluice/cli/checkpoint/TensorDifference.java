package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.DType;
import java.util.Optional;

/** Measures the change of one tensor; one whose bytes are the same is not decoded. */
final class TensorDifference {
    private TensorDifference() {}

    /** @return empty if the two cannot be held against each other: {@link #obstacle} says why */
    static Optional<TensorChange> of(CheckpointPair checkpoints, CheckpointPair.Match match) {
        TensorPair pair = new TensorPair(checkpoints, match);
        if (!obstacle(match, pair).isEmpty()) {
            return Optional.empty();
        }
        DType typeA = match.a().dtype();
        DType typeB = match.b().dtype();
        long padded = pair.paddedRows();
        String remark =
                padded == 0 ? "" : "%,d padded rows of %s left out".formatted(Math.abs(padded), padded > 0 ? "A" : "B");
        if (!pair.sameType()) {
            remark = typeA + " to " + typeB + (remark.isEmpty() ? "" : "; " + remark);
        } else if (sameBytes(pair)) {
            long elements = Math.min(match.a().bytes(), match.b().bytes()) / typeA.bytes();
            return Optional.of(TensorChange.none(match.name(), elements, remark));
        }
        ChangeSum sum = new ChangeSum(typeA, typeB);
        pair.read((window, a, b) -> {
            sum.add(a, b, window.elements());
            return true;
        });
        return Optional.of(sum.of(match.name(), remark));
    }

    /** Why two tensors of one name cannot be compared; empty if they can. */
    static String obstacle(CheckpointPair checkpoints, CheckpointPair.Match match) {
        return obstacle(match, new TensorPair(checkpoints, match));
    }

    private static String obstacle(CheckpointPair.Match match, TensorPair pair) {
        if (!pair.sameShape() && pair.paddedRows() == 0) {
            return "shape %s to %s".formatted(match.a().shape(), match.b().shape());
        }
        return pair.comparable()
                ? ""
                : "%s to %s".formatted(match.a().dtype(), match.b().dtype());
    }

    private static boolean sameBytes(TensorPair pair) {
        boolean[] same = {true};
        pair.read((window, a, b) -> same[0] = a.mismatch(b) < 0);
        return same[0];
    }
}
