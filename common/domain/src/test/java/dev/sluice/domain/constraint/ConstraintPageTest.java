package dev.sluice.domain.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * CONSTRAINTS.md says what the catalogue says. After a deliberate change run {@code ./mvnw -pl common/domain test
 * -Dtest=ConstraintPageTest -Dsluice.update=true} and read the diff.
 */
class ConstraintPageTest {
    private static final Path PAGE = Path.of(System.getProperty("sluice.root"), "common", "domain", "CONSTRAINTS.md");
    private static final Map<Character, String> GROUPS = Map.of(
            'M', "Training",
            'S', "Engines",
            'R', "Steps and placement",
            'W', "Weights",
            'C', "Checkpoints",
            'H', "Hardware");

    @Test
    void thePageSaysWhatTheCatalogueSays() throws IOException {
        String page = page();

        if (Boolean.getBoolean("sluice.update")) {
            Files.writeString(PAGE, page);
        }

        assertThat(PAGE)
                .as("run with -Dsluice.update=true after a deliberate change")
                .exists();
        assertThat(Files.readString(PAGE)).isEqualTo(page);
    }

    private static String page() {
        StringBuilder page = new StringBuilder("""
                # Constraints

                What the planner checks of every layout, asked for or found by search. Written by `ConstraintPageTest` from the
                catalogue (`Constraints`). An *error* rejects a request; a *warning* is shown; a *fix* is what the planner
                writes itself, and says so.
                """);
        char group = ' ';
        for (Constraint constraint : Constraints.ALL) {
            if (constraint.id().charAt(0) != group) {
                group = constraint.id().charAt(0);
                page.append("\n## ").append(GROUPS.get(group)).append("\n\n");
                page.append("| id | severity | what must hold | in a request | source |\n|---|---|---|---|---|\n");
            }
            page.append("| %s | %s | %s | `%s` | %s |\n"
                    .formatted(
                            constraint.id(),
                            constraint.severity().name().toLowerCase(Locale.ROOT),
                            cell(constraint.about()),
                            constraint.path(),
                            cell(constraint.source())));
        }
        return page.toString();
    }

    private static String cell(String text) {
        return text.replace("|", "\\|");
    }
}
