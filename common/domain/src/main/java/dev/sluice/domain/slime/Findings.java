package dev.sluice.domain.slime;

import dev.sluice.domain.shell.Place;
import dev.sluice.domain.slime.Finding.Kind;
import dev.sluice.domain.slime.Finding.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects what an import finds. */
final class Findings {
    /** Whoever has more to mend mends these first. */
    private static final int MOST = 500;

    private final List<Finding> all = new ArrayList<>();
    private int errors;

    void add(Finding finding) {
        boolean error = finding.severity() == Severity.ERROR;
        // Errors are counted apart: warnings must never crowd them out.
        if (error ? errors < MOST : all.size() - errors < MOST) {
            errors += error ? 1 : 0;
            all.add(finding);
        }
    }

    void error(Kind kind, Place place, @Nullable String flag, String message, String mend) {
        add(new Finding(kind, Severity.ERROR, place, flag, message, mend, null));
    }

    void warning(Kind kind, Place place, @Nullable String flag, String message, String mend) {
        add(new Finding(kind, Severity.WARNING, place, flag, message, mend, null));
    }

    void note(Place place, @Nullable String flag, String message, String mend) {
        add(new Finding(Kind.NOTE, Severity.NOTE, place, flag, message, mend, null));
    }

    /** By kind, and within a kind as they were found. */
    List<Finding> sorted() {
        return all.stream().sorted(Comparator.comparing(Finding::kind)).toList();
    }
}
