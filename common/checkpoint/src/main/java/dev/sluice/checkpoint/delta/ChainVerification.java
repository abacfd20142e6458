package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import java.nio.ByteBuffer;
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
        private final byte[] window = new byte[ByteWindow.BYTES];

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
                int at = base.data(name).mismatch(checkpoint.data(name));
                if (at >= 0) {
                    problems.add("tensor %s differs from the base from byte %d".formatted(name, at));
                }
                return;
            }
            String found = checksum(expected.kind, checkpoint.data(name));
            if (!found.equals(expected.checksum)) {
                problems.add("tensor %s has %s %s, not %s as %s says"
                        .formatted(name, expected.kind.text(), found, expected.checksum, expected.delta));
            }
        }

        private String checksum(DeltaChecksum kind, ByteBuffer data) {
            TensorDigest digest = kind.start();
            while (data.hasRemaining()) {
                int length = Math.min(window.length, data.remaining());
                data.get(window, 0, length);
                digest.update(window, length);
            }
            return digest.hex();
        }
    }
}
