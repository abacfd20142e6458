package dev.sluice.rollout.engine;

import java.util.List;
import java.util.Optional;

/**
 * Why a program ended before it was an engine, read from its last lines.
 *
 * @param line the line that says so
 */
record StartFailure(Kind kind, String line) {
    enum Kind {
        OUT_OF_MEMORY(
                "it ran out of memory at its start",
                "not enough memory",
                "out of memory",
                "outofmemoryerror",
                "capture cuda graph failed"),
        PORT_TAKEN(
                "another program has one of its ports; the next start takes others",
                "eaddrinuse",
                "address already in use",
                "port is already in use");

        private final String meaning;
        private final List<String> markers;

        Kind(String meaning, String... markers) {
            this.meaning = meaning;
            this.markers = List.of(markers);
        }

        private boolean marks(String line) {
            String lower = line.toLowerCase(java.util.Locale.ROOT);
            return markers.stream().anyMatch(lower::contains);
        }
    }

    private static final int LINE_CHARACTERS = 300;

    /** Lines of output to look at: a dying engine writes more about its children's end than about its cause. */
    static final int LINES = 400;

    /** The first line that says why; empty where none does. */
    static Optional<StartFailure> of(List<String> lines) {
        for (String line : lines) {
            for (Kind kind : Kind.values()) {
                if (kind.marks(line)) {
                    return Optional.of(new StartFailure(kind, shortened(line.strip())));
                }
            }
        }
        return Optional.empty();
    }

    private static String shortened(String line) {
        return line.length() <= LINE_CHARACTERS ? line : line.substring(0, LINE_CHARACTERS) + "...";
    }

    String reason() {
        return kind.meaning + ": " + line;
    }
}
