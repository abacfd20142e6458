package dev.sluice.domain.arguments;

import dev.sluice.domain.spelling.Spelling;
import dev.sluice.events.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Environment variables that a request may give. The list is closed: a variable can load code ({@code LD_PRELOAD}, {@code
 * PYTHONPATH}, the plugins of NCCL) or change what is sampled unseen, so only those known to do neither are on it.
 */
public final class EnvironmentNames {
    private static final String PATH = "cluster.environment";

    /** Nothing that names a file or that a shell would read. */
    private static final Pattern VALUE = Pattern.compile("[A-Za-z0-9_.,:=^+%*\\[\\] -]{1,256}");

    private static final Set<String> KNOWN = Set.copyOf(FlagTable.lines("environment-names.txt"));

    private EnvironmentNames() {}

    /** Names off the list, with the nearest on it, and values that a variable may not have. */
    public static List<Problem> problems(Map<String, String> given) {
        List<Problem> problems = new ArrayList<>();
        new TreeMap<>(given).forEach((name, value) -> {
            if (!KNOWN.contains(name)) {
                problems.add(problem(
                        name,
                        "%s is not among the variables that a request may set%s"
                                .formatted(name, Spelling.didYouMean(name, KNOWN)),
                        "remove it, or set it where the program is started"));
            } else if (!VALUE.matcher(value).matches()) {
                problems.add(problem(
                        name,
                        "%s has a value of %d characters with one that is neither letter, digit, space nor any of _.,:=^+%%*[]-"
                                .formatted(name, value.length()),
                        "use those only, 1 to 256 of them; no variable on the list takes a path"));
            }
        });
        return List.copyOf(problems);
    }

    static Problem problem(String name, String message, String mend) {
        return Problem.error(PATH, PATH + "." + name, message, mend);
    }
}
