package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.run.RunPhase;
import dev.sluice.cli.run.RunProjection;
import dev.sluice.events.EventJson;
import java.util.Collection;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "status", description = "Show all runs, or one in full.")
final class StatusCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Mixin
    private StackOptions stack = new StackOptions();

    @Parameters(arity = "0..1", paramLabel = "RUN", description = "A run's id.")
    private @Nullable String runId;

    StatusCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        RunClient client = stack.client();
        if (runId == null) {
            showAll(client.readAll().values());
            return ExitCode.OK;
        }
        RunProjection run = Runs.require(client.read(runId));
        if (run.phase() == RunPhase.REJECTED) {
            Problems.show(terminal, runId, run.problems());
            return ExitCode.OK;
        }
        new RunView(terminal).show(run);
        return ExitCode.OK;
    }

    private void showAll(Collection<RunProjection> runs) {
        if (terminal.json()) {
            ArrayNode json = EventJson.mapper().createArrayNode();
            runs.forEach(run -> json.addObject()
                    .put("runId", run.runId())
                    .put("phase", run.phase().word())
                    .put("kind", run.kind() == null ? null : run.kind().wireName())
                    .put("priority", run.priority())
                    .put("position", run.position() == 0 ? null : run.position())
                    .put("stepsTrained", run.ledger().stepsTrained())
                    .put("step", run.ledger().lastStep())
                    .put("stepsPlanned", run.stepsPlanned())
                    .put("reason", run.reason()));
            terminal.result(json.toPrettyString());
            return;
        }
        TextTable table = new TextTable("run", "kind", "priority", "phase", "steps", "reason");
        runs.forEach(run -> table.row(
                run.runId(),
                run.kind() == null ? "" : run.kind().wireName(),
                Integer.toString(run.priority()),
                run.position() == 0
                        ? run.phase().word()
                        : "%s (%d)".formatted(run.phase().word(), run.position()),
                run.ledger().lastStep() + "/" + run.stepsPlanned(),
                reason(run).lines().findFirst().orElse("")));
        terminal.result(runs.isEmpty() ? "no runs yet; start one with: sluice run REQUEST.yaml" : table.toString());
    }

    /** Why a run is in its phase, or what it waits for in it. */
    private static String reason(RunProjection run) {
        return run.reason().isEmpty() && run.waitsFor() != null ? "waits for " + run.waitsFor() : run.reason();
    }
}
