package dev.sluice.checkpoint;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A conversion in a process of its own, slow enough to be killed in the middle: five milliseconds for each report of progress. */
final class ConversionProcess implements Progress {
    /** A few tensors of the fixtures' model. */
    static final WriteSettings SMALL_STRETCHES = new WriteSettings(2, 8_000);

    static final long SHARD_BYTES = 200_000;

    private ConversionProcess() {}

    public static void main(String[] arguments) {
        Path source = Path.of(arguments[1]);
        Path out = Path.of(arguments[2]);
        System.out.println("begins");
        if (arguments[0].equals("torch_dist")) {
            Conversion.toTorchDist(source, out, SMALL_STRETCHES, new ConversionProcess());
        } else {
            Conversion.toHuggingFace(
                    source, Fixtures.HUGGING_FACE, out, SHARD_BYTES, SMALL_STRETCHES, new ConversionProcess());
        }
    }

    static Process start(String format, Path source, Path out) throws IOException {
        return new ProcessBuilder(List.of(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-Xshare:auto",
                        "-XX:TieredStopAtLevel=1",
                        "-Dsluice.root=" + System.getProperty("sluice.root", "../.."),
                        "-cp",
                        System.getProperty("java.class.path").replace(";", File.pathSeparator),
                        ConversionProcess.class.getName(),
                        format,
                        source.toString(),
                        out.toString()))
                .redirectErrorStream(true)
                .start();
    }

    @Override
    public void resumedAt(long bytesKept, long bytesTotal) {
        System.out.println("resumed at " + bytesKept + " of " + bytesTotal);
    }

    @Override
    public void at(long bytesDone, long bytesTotal) {
        try {
            Thread.sleep(5);
        } catch (InterruptedException e) {
            throw new CheckpointException("interrupted", e);
        }
    }
}
