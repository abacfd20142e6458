package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Version;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The flags of one program by version, read from a packaged table whose first lines say what its columns mean. */
final class FlagTable {
    private static final String NOTHING = "-";
    private static final String DASHES = "--";

    private final Map<String, Entry> entries;
    /** By any name of a flag: the flag under all its names, newest first. */
    private final Map<String, List<Entry>> families;

    private FlagTable(Map<String, Entry> entries) {
        this.entries = entries;
        this.families = families(entries);
    }

    /**
     * One flag.
     *
     * @param name without dashes
     * @param since first release that has it; absent where all have
     * @param gone first release without it; absent where none
     * @param replacement the flag that took its place, with the same meaning and values
     */
    record Entry(
            String name,
            @Nullable String since,
            @Nullable String gone,
            Takes takes,
            @Nullable String replacement,
            FlagUse use) {
        boolean in(Version version) {
            return (since == null || version.atLeast(since)) && (gone == null || !version.atLeast(gone));
        }
    }

    static FlagTable read(String resource) {
        Map<String, Entry> entries = new LinkedHashMap<>();
        for (String line : lines(resource)) {
            if (!line.startsWith("#")) {
                Entry entry = entry(line);
                entries.put(entry.name(), entry);
            }
        }
        return new FlagTable(entries);
    }

    private static Entry entry(String line) {
        String[] columns = line.split("\t", -1);
        if (columns.length != 6) {
            throw new IllegalStateException("a packaged table of flags has the broken line " + line);
        }
        return new Entry(
                columns[0],
                value(columns[1]),
                value(columns[2]),
                Takes.parse(columns[3]),
                value(columns[4]),
                FlagUse.parse(columns[5]));
    }

    private static @Nullable String value(String column) {
        return column.equals(NOTHING) ? null : column;
    }

    static List<String> lines(String resource) {
        InputStream packaged = FlagTable.class.getResourceAsStream(resource);
        try (InputStream file = Objects.requireNonNull(packaged, () -> resource + " is not packaged");
                BufferedReader reader = new BufferedReader(new InputStreamReader(file, StandardCharsets.UTF_8))) {
            return reader.lines().filter(line -> !line.isBlank()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("the packaged " + resource + " cannot be read", e);
        }
    }

    /** The entry of a flag without dashes. */
    Optional<Entry> find(String name) {
        return Optional.ofNullable(entries.get(name));
    }

    Collection<Entry> entries() {
        return entries.values();
    }

    /** Flags that this version's parser takes, with dashes. */
    Set<String> known(Version version) {
        return entries.values().stream()
                .filter(entry -> entry.in(version))
                .map(entry -> DASHES + entry.name())
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Whether this version's parser takes the flag under any of its names. */
    boolean has(String flag, Version version) {
        return find(bare(spelled(flag, version)))
                .filter(entry -> entry.in(version))
                .isPresent();
    }

    /** The newest name of a flag that this version takes; the name as given where it takes none of them. */
    String spelled(String flag, Version version) {
        return families.getOrDefault(bare(flag), List.of()).stream()
                .filter(entry -> entry.in(version))
                .findFirst()
                .map(entry -> DASHES + entry.name())
                .orElse(flag);
    }

    private static Map<String, List<Entry>> families(Map<String, Entry> entries) {
        Map<String, List<Entry>> byNewest = new HashMap<>();
        entries.values()
                .forEach(
                        entry -> byNewest.computeIfAbsent(newest(entries, entry).name(), name -> new ArrayList<>())
                                .add(entry));
        Map<String, List<Entry>> families = new HashMap<>();
        for (List<Entry> family : byNewest.values()) {
            family.sort(Comparator.comparingInt(entry -> age(entries, entry)));
            family.forEach(entry -> families.put(entry.name(), family));
        }
        return families;
    }

    private static Entry newest(Map<String, Entry> entries, Entry entry) {
        Entry newest = entry;
        while (newest.replacement() != null) {
            newest = replacement(entries, newest.replacement());
        }
        return newest;
    }

    /** How many times the flag's name was replaced. */
    private static int age(Map<String, Entry> entries, Entry entry) {
        return entry.replacement() == null ? 0 : 1 + age(entries, replacement(entries, entry.replacement()));
    }

    private static Entry replacement(Map<String, Entry> entries, String name) {
        return Objects.requireNonNull(entries.get(name), () -> "a packaged table of flags lacks " + name);
    }

    private static String bare(String flag) {
        return flag.startsWith(DASHES) ? flag.substring(DASHES.length()) : flag;
    }

    /** How many values a flag takes and of what kind. */
    record Takes(Kind kind, int least, int most, List<String> choices) {
        enum Kind {
            NOTHING,
            INTEGER,
            NUMBER,
            TEXT,
            CHOICE
        }

        static Takes parse(String column) {
            if (column.equals(FlagTable.NOTHING)) {
                return new Takes(Kind.NOTHING, 0, 0, List.of());
            }
            char last = column.charAt(column.length() - 1);
            boolean choice = column.startsWith("=");
            boolean counted = "+*?".indexOf(last) >= 0 || (!choice && Character.isDigit(last));
            String word = counted ? column.substring(0, column.length() - 1) : column;
            int least = last == '*' || last == '?' ? 0 : counted && Character.isDigit(last) ? last - '0' : 1;
            int most = last == '+' || last == '*' ? Integer.MAX_VALUE : Math.max(1, least);
            if (choice) {
                return new Takes(
                        Kind.CHOICE,
                        least,
                        most,
                        Arrays.asList(word.substring(1).split("\\|")));
            }
            return new Takes(kind(word), least, most, List.of());
        }

        private static Kind kind(String word) {
            return switch (word) {
                case "int" -> Kind.INTEGER;
                case "float" -> Kind.NUMBER;
                case "text" -> Kind.TEXT;
                default -> throw new IllegalStateException("a packaged table of flags has the unknown kind " + word);
            };
        }
    }
}
