package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Version;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The flags of {@code sglang.launch_server} and the releases that have them.
 *
 * <p>{@code sglang-flags.csv} has one flag a line with the first release that has it and the first that has it no more, each
 * empty where there is none. It was read in server_args.py of the releases 0.4.9, 0.5.3, 0.5.5.post1, 0.5.7 to 0.5.10, 0.5.12
 * to 0.5.14, 0.5.15.post1 and 0.5.18, so a flag may have come or gone up to one of their steps earlier.
 */
public final class SglangFlags {
    private static final Map<String, Releases> KNOWN = read();

    /** From the first of these on, until the second; each empty where there is none. */
    private record Releases(String since, String until) {
        boolean have(Version version) {
            return version.atLeast(since) && (until.isEmpty() || !version.atLeast(until));
        }
    }

    private SglangFlags() {}

    /** The flags among these that this release does not have, in their order. */
    public static List<String> unknown(Flags flags, Version version) {
        return flags.values().keySet().stream()
                .filter(flag -> !KNOWN.containsKey(flag) || !KNOWN.get(flag).have(version))
                .toList();
    }

    private static Map<String, Releases> read() {
        try (InputStream in = SglangFlags.class.getResourceAsStream("sglang-flags.csv")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .skip(1)
                    .map(line -> line.split(",", -1))
                    .collect(Collectors.toUnmodifiableMap(
                            columns -> columns[0], columns -> new Releases(columns[1], columns[2])));
        } catch (IOException e) {
            throw new UncheckedIOException("the flags of SGLang are part of this library", e);
        }
    }
}
