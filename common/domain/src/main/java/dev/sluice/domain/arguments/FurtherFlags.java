package dev.sluice.domain.arguments;

import dev.sluice.domain.arguments.FlagTable.Entry;
import dev.sluice.domain.arguments.FlagTable.Takes;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.spelling.Spelling;
import dev.sluice.events.Problem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Flags that a request gives beside what it has keys for, checked against closed lists.
 *
 * @param flags those without a problem
 * @param problems unknown, refused and ill-formed ones; {@code path} names the key
 */
public record FurtherFlags(Flags flags, List<Problem> problems) {
    /** Neither a path, nor another flag, nor JSON. */
    private static final Pattern VALUE =
            Pattern.compile("(?!-)[A-Za-z0-9_.,:+*()\\[\\]|=%-]{1,256}|-\\d[0-9.e+-]{0,30}");

    public FurtherFlags {
        problems = List.copyOf(problems);
    }

    /** Megatron's ({@code training.megatron}); names without dashes, values as {@link #sglang} takes them. */
    public static FurtherFlags megatron(Map<String, String> given) {
        return new Reader("training.megatron", "Megatron", MegatronFlags.TABLE).read(given);
    }

    /**
     * SGLang's ({@code rollout.sglang}).
     *
     * @param given by name without dashes; {@code true} is a flag without a value, {@code false} none at all, and a value
     *     with spaces several values
     */
    public static FurtherFlags sglang(Map<String, String> given) {
        return new Reader("rollout.sglang", "sglang.launch_server", SglangFlags.TABLE).read(given);
    }

    /**
     * Reads one map.
     *
     * @param path of the map in a request, which is its rule's id too
     * @param program for people
     */
    private record Reader(String path, String program, FlagTable table) {

        FurtherFlags read(Map<String, String> given) {
            Map<String, List<String>> flags = new LinkedHashMap<>();
            List<Problem> problems = new ArrayList<>();
            given.forEach((name, value) -> {
                Optional<Problem> problem = check(name, value.strip());
                problem.ifPresent(problems::add);
                if (problem.isEmpty() && !value.strip().equals("false")) {
                    flags.put("--" + name, values(value.strip()));
                }
            });
            return new FurtherFlags(new Flags(flags), problems);
        }

        private static List<String> values(String value) {
            return value.isEmpty() || value.equals("true") ? List.of() : List.of(value.split("\\s+"));
        }

        private Optional<Problem> check(String name, String value) {
            Optional<Entry> entry = table.find(name);
            if (entry.isEmpty()) {
                return Optional.of(problem(
                        name,
                        "%s is no flag of %s that is known here%s"
                                .formatted(name, program, Spelling.didYouMean(name, free())),
                        "remove it; names are written without leading dashes"));
            }
            return switch (entry.get().use()) {
                case FlagUse.Key key ->
                    Optional.of(problem(name, name + " has a key of its own in a request", "set " + key.path()));
                case FlagUse.Closed closed -> Optional.of(problem(name, name + " " + closed.why, closed.mend));
                case FlagUse.Free free ->
                    value.equals("false")
                            ? Optional.empty()
                            : value(name, values(value), entry.get().takes());
            };
        }

        private Optional<Problem> value(String name, List<String> values, Takes takes) {
            if (values.size() < takes.least() || values.size() > takes.most()) {
                return Optional.of(problem(
                        name,
                        "%s has %d values and takes %s".formatted(name, values.size(), amount(takes)),
                        takes.most() == 0
                                ? "set it to true, or to false for none"
                                : "set it to its value; several are separated by spaces"));
            }
            return values.stream()
                    .filter(value -> !fits(value, takes))
                    .findFirst()
                    .map(value -> problem(
                            name,
                            "%s is %s, which is no %s%s"
                                    .formatted(
                                            name,
                                            shown(value),
                                            expected(takes),
                                            Spelling.didYouMean(value, takes.choices())),
                            "set it to " + (takes.choices().isEmpty() ? "a " + expected(takes) : expected(takes))));
        }

        private static String amount(Takes takes) {
            if (takes.most() == 0) {
                return "none";
            }
            if (takes.most() == Integer.MAX_VALUE) {
                return "at least " + takes.least();
            }
            return takes.least() == takes.most() ? Integer.toString(takes.most()) : "at most " + takes.most();
        }

        private static boolean fits(String value, Takes takes) {
            return switch (takes.kind()) {
                case NOTHING -> false;
                case INTEGER -> value.matches("[+-]?\\d{1,18}");
                case NUMBER -> value.matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d{1,3})?");
                case TEXT -> VALUE.matcher(value).matches();
                case CHOICE -> takes.choices().contains(value);
            };
        }

        private static String expected(Takes takes) {
            return switch (takes.kind()) {
                case NOTHING -> "value";
                case INTEGER -> "whole number";
                case NUMBER -> "number";
                case TEXT -> "plain word";
                case CHOICE -> "one of " + String.join(", ", takes.choices());
            };
        }

        private static String shown(String value) {
            return value.length() <= 80 ? value : value.substring(0, 80) + "...";
        }

        private List<String> free() {
            return table.entries().stream()
                    .filter(entry -> entry.use() instanceof FlagUse.Free)
                    .map(Entry::name)
                    .toList();
        }

        private Problem problem(String name, String message, String mend) {
            return Problem.error(path, path + "." + name, message, mend);
        }
    }
}
