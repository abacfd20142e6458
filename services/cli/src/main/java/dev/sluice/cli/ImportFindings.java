package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.sluice.domain.slime.Finding;
import dev.sluice.domain.slime.Finding.Kind;
import dev.sluice.domain.slime.Finding.Severity;
import dev.sluice.events.EventJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** What an import found, for people and for programs. */
record ImportFindings(List<Finding> findings) {

    /** Lists them on stderr, where a request on stdout stays by itself. */
    void show(Terminal terminal) {
        for (Kind kind : Kind.values()) {
            List<Finding> group =
                    findings.stream().filter(finding -> finding.kind() == kind).toList();
            if (!group.isEmpty()) {
                terminal.remark(heading(kind) + ":");
                group.forEach(finding -> show(terminal, finding));
            }
        }
    }

    private static void show(Terminal terminal, Finding finding) {
        String weight = finding.severity() == Severity.NOTE ? "" : word(finding.severity()) + " ";
        String flag = finding.flag() == null ? "" : finding.flag() + ": ";
        String rule = finding.rule() == null ? "" : " [" + finding.rule() + "]";
        terminal.remark("  %s%s  %s%s%s".formatted(weight, finding.place(), flag, finding.message(), rule));
        terminal.remark("      " + finding.mend());
    }

    /** Such as {@code 2 errors, 1 warning}; empty where there is neither. */
    String count() {
        List<String> counts = new ArrayList<>();
        for (Severity severity : List.of(Severity.ERROR, Severity.WARNING)) {
            long count = of(severity).count();
            if (count > 0) {
                counts.add("%d %s%s".formatted(count, word(severity), count == 1 ? "" : "s"));
            }
        }
        return String.join(", ", counts);
    }

    ArrayNode json() {
        ArrayNode list = EventJson.mapper().createArrayNode();
        for (Finding finding : findings) {
            list.addObject()
                    .put("rule", finding.ruleId())
                    .put("severity", word(finding.severity()))
                    .put("file", finding.place().file())
                    .put("line", finding.place().line())
                    .put("flag", finding.flag())
                    .put("message", finding.message())
                    .put("mend", finding.mend());
        }
        return list;
    }

    private Stream<Finding> of(Severity severity) {
        return findings.stream().filter(finding -> finding.severity() == severity);
    }

    private static String word(Severity severity) {
        return severity.name().toLowerCase(Locale.ROOT);
    }

    private static String heading(Kind kind) {
        return switch (kind) {
            case SYNTAX -> "not read";
            case UNKNOWN -> "unknown flags";
            case UNSUPPORTED -> "without a place in a request";
            case VALUE -> "values";
            case MISSING -> "missing";
            case NOTE -> "notes";
        };
    }
}
