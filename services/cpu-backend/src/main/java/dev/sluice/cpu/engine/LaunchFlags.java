package dev.sluice.cpu.engine;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The flags of {@code sglang.launch_server}, read the way Python's argparse reads them. The table is
 * {@code launch-flags.tsv}; a flag that means nothing on a CPU is checked and kept all the same, so that one command line
 * starts either engine.
 */
final class LaunchFlags {

    /** A command line that cannot be used; argparse prints it after the usage and exits with 2. */
    static final class UsageException extends RuntimeException {
        UsageException(String message) {
            super(message);
        }
    }

    private enum Kind {
        STR,
        INT,
        FLOAT,
        FLAG,
        LIST
    }

    private record Flag(String name, Kind kind, @Nullable String initial, List<String> choices) {
        /** The name that SGLang's ServerArgs and /server_info use; argparse's destinations of the parallel sizes are short. */
        String field() {
            return switch (name) {
                case "tensor-parallel-size" -> "tp_size";
                case "pipeline-parallel-size" -> "pp_size";
                case "data-parallel-size" -> "dp_size";
                case "expert-parallel-size" -> "ep_size";
                case "moe-data-parallel-size" -> "moe_dp_size";
                case "attention-context-parallel-size" -> "attn_cp_size";
                default -> name.replace('-', '_');
            };
        }
    }

    private final Map<String, Flag> byName = new LinkedHashMap<>();
    private final Map<String, @Nullable Object> values = new LinkedHashMap<>();

    private LaunchFlags() {
        for (String line : table()) {
            String[] columns = Arrays.copyOf(line.split("\t", -1), 5);
            Kind kind = Kind.valueOf(columns[1].toUpperCase(Locale.ROOT));
            Flag flag = new Flag(columns[0], kind, columns[2], split(columns[4]));
            byName.put("--" + flag.name(), flag);
            split(columns[3]).forEach(alias -> byName.put("--" + alias, flag));
            boolean given = flag.initial() != null && !flag.initial().isEmpty();
            values.put(
                    flag.field(),
                    given
                            ? parse(flag, "--" + flag.name(), String.valueOf(flag.initial()))
                            : kind == Kind.FLAG ? false : null);
        }
    }

    /**
     * Reads a command line.
     *
     * @throws UsageException naming what is wrong with it
     */
    static LaunchFlags parse(List<String> arguments) {
        LaunchFlags flags = new LaunchFlags();
        flags.takeAll(arguments);
        String file = flags.text("config");
        if (file != null) {
            // What stands on the command line counts more than the file, which is read first.
            flags = new LaunchFlags();
            flags.takeAll(inFile(file));
            flags.takeAll(arguments);
        }
        return flags;
    }

    private void takeAll(List<String> arguments) {
        int next = 0;
        while (next < arguments.size()) {
            next = take(arguments, next);
        }
    }

    /** Flags of a YAML file without their dashes; of YAML, its part that is JSON. */
    private static List<String> inFile(String file) {
        try {
            List<String> arguments = new ArrayList<>();
            for (Map.Entry<String, JsonNode> flag :
                    Json.MAPPER.readTree(Path.of(file).toFile()).properties()) {
                if (!flag.getValue().isBoolean()) {
                    arguments.add("--" + flag.getKey() + "=" + flag.getValue().asText());
                } else if (flag.getValue().asBoolean()) {
                    arguments.add("--" + flag.getKey());
                }
            }
            return arguments;
        } catch (IOException e) {
            throw new UsageException("argument --config: %s cannot be read as a JSON object of flags: %s"
                    .formatted(file, e.getMessage()));
        }
    }

    /** All values by the names of SGLang's ServerArgs. */
    Map<String, @Nullable Object> values() {
        return Collections.unmodifiableMap(values);
    }

    boolean isSet(String field) {
        return Boolean.TRUE.equals(values.get(field));
    }

    @Nullable
    String text(String field) {
        return (String) values.get(field);
    }

    @Nullable
    Integer number(String field) {
        return (Integer) values.get(field);
    }

    /** Takes the flag at a place and its values; returns the place after them. */
    private int take(List<String> arguments, int place) {
        String argument = arguments.get(place);
        int equals = argument.startsWith("--") ? argument.indexOf('=') : -1;
        String name = equals < 0 ? argument : argument.substring(0, equals);
        Flag flag = byName.get(name);
        if (flag == null) {
            throw new UsageException("unrecognized arguments: " + argument + suggestion(name));
        }
        int end = place + 1;
        List<String> given = new ArrayList<>();
        if (equals >= 0) {
            given.add(argument.substring(equals + 1));
        } else {
            int most = flag.kind() == Kind.FLAG ? 0 : flag.kind() == Kind.LIST ? Integer.MAX_VALUE : 1;
            while (end < arguments.size()
                    && given.size() < most
                    && !arguments.get(end).startsWith("--")) {
                given.add(arguments.get(end++));
            }
        }
        if (flag.kind() == Kind.FLAG && !given.isEmpty()) {
            throw new UsageException("argument " + name + ": ignored explicit argument '" + given.get(0) + "'");
        }
        if (flag.kind() != Kind.FLAG && given.isEmpty()) {
            throw new UsageException("argument " + name + ": expected one argument");
        }
        values.put(
                flag.field(),
                switch (flag.kind()) {
                    case FLAG -> true;
                    case LIST -> List.copyOf(given);
                    case STR, INT, FLOAT -> parse(flag, name, given.get(0));
                });
        return end;
    }

    private static Object parse(Flag flag, String name, String text) {
        if (!flag.choices().isEmpty() && !flag.choices().contains(text)) {
            throw new UsageException("argument " + name + ": invalid choice: '" + text + "' (choose from "
                    + String.join(", ", flag.choices()) + ")");
        }
        try {
            return switch (flag.kind()) {
                case INT -> Integer.parseInt(text);
                case FLOAT -> Double.parseDouble(text);
                case STR, FLAG, LIST -> text;
            };
        } catch (NumberFormatException e) {
            String type = flag.kind() == Kind.INT ? "int" : "float";
            throw new UsageException("argument " + name + ": invalid " + type + " value: '" + text + "'");
        }
    }

    private String suggestion(String name) {
        return byName.keySet().stream()
                .min(Comparator.comparingInt(known -> distance(known, name)))
                .filter(known -> distance(known, name) <= 3)
                .map(known -> " (did you mean " + known + "?)")
                .orElse("");
    }

    /** Edits between two names (Levenshtein). */
    private static int distance(String one, String other) {
        int[] row = new int[other.length() + 1];
        Arrays.setAll(row, i -> i);
        for (int i = 1; i <= one.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= other.length(); j++) {
                int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[other.length()];
    }

    private static List<String> split(@Nullable String list) {
        return list == null || list.isEmpty() ? List.of() : List.of(list.split(","));
    }

    private static List<String> table() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(LaunchFlags.class.getResourceAsStream("launch-flags.tsv")),
                StandardCharsets.UTF_8))) {
            return lines.lines().filter(line -> !line.startsWith("#")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
