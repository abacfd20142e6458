package dev.sluice.checkpoint;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Compares conversions with {@code cp --reflink=never} of the same files on the same disk: alternated, each followed by {@code sync}, medians. A conversion
 * is a process of its own and its start counts. Not part of the build; from the repository's root:
 *
 * <pre>
 * ./mvnw -q -pl common/checkpoint -am test -Dtest=ConversionBenchmark -Dsurefire.failIfNoSpecifiedTests=false \
 *     -Dbench.directory=/disk/with/room [-Dbench.gigabytes=8] [-Dbench.rounds=5] [-Dbench.cache=cold|warm] \
 *     [-Dbench.command="./sluice convert"] [-Dbench.python=/path/to/a/converter.py with "hf2dist IN OUT"]
 * </pre>
 *
 * It needs four times the model's size on the disk for a while. {@code cold} (root only) empties the page cache before each copy; {@code warm} reads the
 * source before each copy.
 */
class ConversionBenchmark {
    private static final Path DROP_CACHES = Path.of("/proc/sys/vm/drop_caches");

    private final long gigabytes = Long.getLong("bench.gigabytes", 8);
    private final int rounds = Integer.getInteger("bench.rounds", 5);
    private final String cache = System.getProperty("bench.cache", Files.isWritable(DROP_CACHES) ? "cold" : "warm");
    private final String packaged = System.getProperty("bench.command", "");
    private final String python = System.getProperty("bench.python", "");
    private final Map<String, List<Double>> seconds = new TreeMap<>();
    private long peakAnonymousKibibytes;

    /** The converting process. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            Path in = Path.of(arguments[1]);
            Path out = Path.of(arguments[2]);
            if (arguments[0].equals("torch_dist")) {
                Conversion.toTorchDist(in, out, Progress.NONE);
            } else {
                Conversion.toHuggingFace(in, Path.of(arguments[3]), out, Progress.NONE);
            }
        }
    }

    @Test
    void comparesConversionsWithCopies() throws Exception {
        Path parent = Path.of(System.getProperty("bench.directory", "/var/tmp"));
        Path directory = Files.createTempDirectory(parent, "sluice-conversion-benchmark-");
        try {
            run(directory);
        } finally {
            NewDirectory.delete(directory);
        }
    }

    private void run(Path directory) throws Exception {
        Path source = directory.resolve("hf");
        Path torchDist = directory.resolve("torch_dist");
        Path out = directory.resolve("out");
        SyntheticModel.write(source, gigabytes * 1_000_000_000L);
        java(List.of("torch_dist", source.toString(), torchDist.toString()));
        say("%.2f GB, %s cache, %d cores, %s", gigabytes(source), cache, cores(), loads());
        for (int round = 0; round < rounds; round++) {
            time("1 cp of hf", source, out, List.of("cp", "-r", "--reflink=never", source.toString(), out.toString()));
            time("2 hf to torch_dist", source, out, command(List.of("torch_dist", source.toString(), out.toString())));
            time(
                    "3 cp of torch_dist",
                    torchDist,
                    out,
                    List.of("cp", "-r", "--reflink=never", torchDist.toString(), out.toString()));
            List<String> back = List.of("hf", torchDist.toString(), out.toString(), source.toString());
            time("4 torch_dist to hf", torchDist, out, command(back));
            if (!python.isEmpty()) {
                time("5 python", source, out, List.of("python3", python, "hf2dist", source.toString(), out.toString()));
            }
        }
        seconds.forEach((what, times) -> say(
                "%-20s median %6.2f s  %.2f GB/s  of %s", what.substring(2), median(what), rate(source, what), times));
        say("hf to torch_dist: %.2f of cp", median("1 cp of hf") / median("2 hf to torch_dist"));
        say("torch_dist to hf: %.2f of cp", median("3 cp of torch_dist") / median("4 torch_dist to hf"));
        say("largest anonymous memory of a conversion: %d MiB; %s", peakAnonymousKibibytes / 1024, loads());
    }

    private void time(String what, Path source, Path out, List<String> command) throws Exception {
        run(List.of("sync"));
        if (cache.equals("cold")) {
            Files.writeString(DROP_CACHES, "3");
        } else {
            run(List.of("sh", "-c", "find " + source + " -type f -exec cat {} + > /dev/null"));
        }
        long begin = System.nanoTime();
        run(command);
        run(List.of("sync"));
        double taken = (System.nanoTime() - begin) / 1e9;
        seconds.computeIfAbsent(what, key -> new ArrayList<>()).add(Math.round(taken * 100) / 100.0);
        NewDirectory.delete(out);
    }

    private void java(List<String> arguments) throws Exception {
        run(command(arguments));
    }

    /** The packaged command if it is named, else a process of this class path with the flags of the command. */
    private List<String> command(List<String> arguments) {
        if (!packaged.isEmpty()) {
            List<String> command = new ArrayList<>(List.of(packaged.split(" ")));
            command.addAll(arguments.subList(1, 3));
            command.addAll(arguments.size() > 3 ? List.of("--config", arguments.get(3)) : List.of());
            return command;
        }
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=" + Integer.getInteger("bench.compiler", 1),
                "-cp",
                System.getProperty("java.class.path").replace(";", File.pathSeparator),
                Child.class.getName()));
        command.addAll(arguments);
        return command;
    }

    private void run(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).inheritIO().start();
        boolean ours = command.contains(Child.class.getName()) || !packaged.isEmpty();
        while (process.isAlive()) {
            if (ours) {
                peakAnonymousKibibytes = Math.max(peakAnonymousKibibytes, anonymousKibibytes(process.pid()));
            }
            Thread.sleep(5);
        }
        if (process.exitValue() != 0) {
            throw new IllegalStateException(command + " ended with " + process.exitValue());
        }
    }

    private static long anonymousKibibytes(long pid) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
            return lines.filter(line -> line.startsWith("RssAnon:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException | java.io.UncheckedIOException e) {
            return 0; // it has just ended
        }
    }

    private double median(String what) {
        double[] sorted = seconds.get(what).stream()
                .mapToDouble(Double::doubleValue)
                .sorted()
                .toArray();
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    private double rate(Path source, String what) {
        return gigabytes(source) / median(what);
    }

    private static double gigabytes(Path directory) {
        File[] files = directory.toFile().listFiles();
        return Arrays.stream(files == null ? new File[0] : files)
                        .mapToLong(File::length)
                        .sum()
                / 1e9;
    }

    private static int cores() {
        return Runtime.getRuntime().availableProcessors();
    }

    private static String loads() throws IOException {
        return "load " + Files.readString(Path.of("/proc/loadavg")).strip();
    }

    private static void say(String format, Object... values) {
        System.out.println(String.format(Locale.ROOT, format, values));
    }
}
