package dev.sluice.domain.shell;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a script comes to.
 *
 * @param commands those that would run, in order; where a condition is not known, those of all its branches
 * @param exported variables that programs started by the script see
 * @param remarks what could not be read
 * @param missing sourced files that were not to be had
 */
public record ShellReading(
        List<Command> commands, Map<String, Field> exported, List<Remark> remarks, List<MissingSource> missing) {
    public ShellReading {
        commands = List.copyOf(commands);
        exported = Collections.unmodifiableMap(new LinkedHashMap<>(exported));
        remarks = List.copyOf(remarks);
        missing = List.copyOf(missing);
    }

    /** A file that the script sources and that nobody could give. */
    public record MissingSource(Place place, String path) {}

    /** Whether the script's meaning is not known. */
    public boolean broken() {
        return remarks.stream().anyMatch(remark -> remark.weight() == Remark.Weight.ERROR);
    }
}
