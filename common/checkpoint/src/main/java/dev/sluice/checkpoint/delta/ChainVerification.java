package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.ByteRange;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;

/** Compares a checkpoint with its base and the deltas since. */
final class ChainVerification {
    private record Expected(DeltaChecksum kind, String checksum, Path delta) {}

    private final HuggingFaceCheckpoint base;
    private final HuggingFaceCheckpoint checkpoint;
    private final Map<String, Expected> lastOfTensor = new HashMap<>();
    private final Queue<String> problems = new ConcurrentLinkedQueue<>();

    private ChainVerification(HuggingFaceCheckpoint base, HuggingFaceCheckpoint checkpoint) {
        this.base = base;
        this.checkpoint = checkpoint;
    }

    static void run(List<Path> deltas, Path base, Path checkpoint, int threads) {
        try (HuggingFaceCheckpoint before = HuggingFaceCheckpoint.open(base);
                HuggingFaceCheckpoint after = HuggingFaceCheckpoint.open(checkpoint)) {
            ChainVerification verification = new ChainVerification(before, after);
            deltas.forEach(verification::expect);
            SortedSet<String> names = new TreeSet<>(before.tensors().keySet());
            names.addAll(after.tensors().keySet());
            List<Crew.Hand<String>> hands = IntStream.range(0, threads)
                    .mapToObj(i -> verification.new Comparison())
                    .map(comparison -> (Crew.Hand<String>) comparison::compare)
                    .toList();
            Crew.work("verifying " + checkpoint, names, hands);
            verification.refuseProblems();
        }
    }

    private void expect(Path directory) {
        try (DeltaCheckpoint delta = DeltaCheckpoint.open(directory)) {
            delta.checksums()
                    .forEach((name, checksum) ->
                            lastOfTensor.put(name, new Expected(delta.checksum(), checksum, directory)));
        }
    }

    private void refuseProblems() {
        if (!problems.isEmpty()) {
            throw new CheckpointException("%s is not %s with its deltas: %s; make it again from the base"
                    .formatted(
                            checkpoint.directory(),
                            base.directory(),
                            String.join("; ", problems.stream().sorted().toList())));
        }
    }

    private final class Comparison {
        private static final long COMPARED_BYTES = 64L << 20;
        private static final int WINDOW_BYTES = 64 << 10;

        private final byte[] window = new byte[WINDOW_BYTES];

        void compare(String name) {
            if (!checkpoint.tensors().containsKey(name)) {
                problems.add("tensor " + name + " is missing");
            } else if (!base.tensors().containsKey(name)) {
                problems.add("tensor " + name + " is not in the base");
            } else {
                compareBytes(name);
            }
        }

        private void compareBytes(String name) {
            Expected expected = lastOfTensor.get(name);
            if (expected == null) {
                long at = mismatch(base.range(name), checkpoint.range(name));
                if (at >= 0) {
                    problems.add("tensor %s differs from the base from byte %d".formatted(name, at));
                }
                return;
            }
            String found = checksum(expected.kind, checkpoint.range(name));
            if (!found.equals(expected.checksum)) {
                problems.add("tensor %s has %s %s, not %s as %s says"
                        .formatted(name, expected.kind.text(), found, expected.checksum, expected.delta));
            }
        }

        /** Position of the first byte that differs, the shorter length if one is longer, -1 if all are equal. */
        private static long mismatch(ByteRange one, ByteRange other) {
            long common = Math.min(one.bytes(), other.bytes());
            for (long done = 0; done < common; done += COMPARED_BYTES) {
                long length = Math.min(COMPARED_BYTES, common - done);
                int at = one.slice(done, length).mismatch(other.slice(done, length));
                if (at >= 0) {
                    return done + at;
                }
            }
            return one.bytes() == other.bytes() ? -1 : common;
        }

        private String checksum(DeltaChecksum kind, ByteRange data) {
            TensorDigest digest = kind.start();
            for (long done = 0; done < data.bytes(); done += window.length) {
                int length = (int) Math.min(window.length, data.bytes() - done);
                data.slice(done, length).get(window, 0, length);
                digest.update(window, length);
            }
            return digest.hex();
        }
    }
}
