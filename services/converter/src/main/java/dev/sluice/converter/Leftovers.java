package dev.sluice.converter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Removes what crashes left behind: half-deleted directories, and temporary or unfinished ones that nobody has written to for a day. */
final class Leftovers {
    static final Duration ABANDONED = Duration.ofDays(1);

    private static final Pattern NAME = Pattern.compile("\\.(.+)\\.(tmp|(?:tmp|partial|deleted)-[^/]+)");

    private Leftovers() {}

    /**
     * Looks at one directory's entries.
     *
     * @param prefix only leftovers of names that begin so
     * @return what was removed
     */
    static List<Path> sweep(Path parent, String prefix, String instance, Instant now) throws IOException {
        List<Path> removed = new ArrayList<>();
        if (!Files.isDirectory(parent)) {
            return removed;
        }
        List<Path> entries;
        try (Stream<Path> all = Files.list(parent)) {
            entries = all.toList();
        }
        for (Path entry : entries) {
            Matcher name = NAME.matcher(entry.getFileName().toString());
            if (name.matches()
                    && name.group(1).startsWith(prefix)
                    && remove(entry, parent.resolve(name.group(1)), name.group(2), instance, now)) {
                removed.add(entry);
            }
        }
        return removed;
    }

    private static boolean remove(Path entry, Path target, String kind, String instance, Instant now)
            throws IOException {
        if (kind.startsWith("deleted")) {
            Trash.empty(entry);
            return true;
        }
        if (newest(entry).isAfter(now.minus(ABANDONED))) {
            return false;
        }
        if (!Files.isDirectory(entry)) {
            return Files.deleteIfExists(entry);
        }
        Optional<TargetLock> lock = TargetLock.tryAcquire(target, instance);
        if (lock.isEmpty()) {
            return false;
        }
        try (TargetLock held = lock.get()) {
            Trash.empty(entry);
            return true;
        }
    }

    /** When anything in the tree was last written; in the future if that cannot be seen. */
    private static Instant newest(Path tree) throws IOException {
        try (Stream<Path> all = Files.walk(tree)) {
            return all.map(path -> Instant.ofEpochMilli(path.toFile().lastModified()))
                    .max(Instant::compareTo)
                    .orElse(Instant.MAX);
        }
    }
}
