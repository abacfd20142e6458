package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.run.RunProjection;
import dev.sluice.cli.run.RunReport;
import dev.sluice.cli.run.RunSummary;
import dev.sluice.events.EventJson;
import dev.sluice.events.Plan;
import dev.sluice.events.TrainingEvent.WaitChanged;
import java.time.Duration;
import java.util.Locale;

/** Shows one run as its log tells. */
record RunView(Terminal terminal) {
    void show(RunProjection run) {
        RunReport report = RunReport.of(run, Duration.ZERO, Duration.ZERO);
        if (!terminal.json()) {
            RunSummary.lines(report, run.reason()).forEach(terminal::result);
            if (run.kind() != null) {
                terminal.result(
                        "  kind           %s, priority %d".formatted(run.kind().wireName(), run.priority()));
            }
            if (run.planned() != null) {
                terminal.result("  placement      " + placement(run.planned().plan()));
            }
            run.handOver()
                    .ifPresent(
                            now -> terminal.result("  phase          %s, since %s".formatted(now.text(), now.since())));
            if (run.position() > 0) {
                terminal.result("  queue          place %d".formatted(run.position()));
            }
            if (run.rolledBack() != null) {
                terminal.result("  rolled back    %s to step %d: %s"
                        .formatted(
                                run.rollbacks() == 1 ? "once," : run.rollbacks() + " times, the last one",
                                run.rolledBack().toStep(),
                                run.rolledBack().reason()));
            }
            run.results().forEach((set, file) -> terminal.result("  samples        %s: %s".formatted(set, file)));
            if (run.waitsFor() != null) {
                terminal.result("  waiting for    " + run.waitsFor());
            }
            WaitChanged wait = run.waiting();
            if (wait != null && wait.waitingFor().equals(run.waitsFor())) {
                terminal.result("    because      " + wait.reason());
                terminal.result("    until        " + (wait.deadline() == null ? "it is over" : wait.deadline()));
            }
            return;
        }
        ObjectNode json = EventJson.mapper().valueToTree(report);
        json.remove("seconds");
        json.put("kind", run.kind() == null ? null : run.kind().wireName());
        json.put("priority", run.priority()).put("position", run.position() == 0 ? null : run.position());
        if (run.planned() != null) {
            json.put("placement", word(run.planned().plan().placement()))
                    .put("transport", word(run.planned().plan().transport()));
        }
        json.set("handOver", EventJson.mapper().valueToTree(run.handOver().orElse(null)));
        json.set("samples", EventJson.mapper().valueToTree(run.results()));
        json.put("rollbacks", run.rollbacks())
                .put("reason", run.reason())
                .put("stepsPlanned", run.stepsPlanned())
                .put("waitsFor", run.waitsFor());
        terminal.result(json.toPrettyString());
    }

    private static String placement(Plan plan) {
        return "%s, weights by %s".formatted(word(plan.placement()), word(plan.transport()));
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
