package dev.sluice.cli;

import dev.sluice.cli.checkpoint.ConversionRun;
import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.stack.OpenLog;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "export",
        description = "Write a kept cut of a run as a Hugging Face directory; the run may be over or go on.")
final class ExportCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Mixin
    private StackOptions stack = new StackOptions();

    @Parameters(index = "0", paramLabel = "RUN", description = "A run's id.")
    private String runId = "";

    @Parameters(index = "1", paramLabel = "OUT", description = "The directory to make; must not exist.")
    private Path out = Path.of("");

    @Option(names = "--step", paramLabel = "STEP", description = "Which cut (default: the newest).")
    private @Nullable Integer step;

    ExportCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        output.applyTo(terminal);
        try (OpenLog log = stack.openLog(terminal::say)) {
            RunClient client = new RunClient(log.bootstrapServers());
            RunPlanned planned = ResumedRequest.planned(client, runId);
            CheckpointSaved cut = chosen(client.cuts(runId));
            return new ConversionRun(terminal, false)
                    .run(
                            Path.of(cut.directory()),
                            out,
                            Path.of(planned.request().model().path()),
                            null);
        }
    }

    private CheckpointSaved chosen(List<CheckpointSaved> cuts) {
        return cuts.reversed().stream()
                .filter(cut -> step == null || cut.step() == step)
                .findFirst()
                .orElseThrow(() -> CommandFailure.usage(
                        cuts.isEmpty()
                                ? "run %s has no cut yet".formatted(runId)
                                : "run %s has no cut of step %d; kept are those of steps %s"
                                        .formatted(
                                                runId,
                                                step,
                                                cuts.stream()
                                                        .map(CheckpointSaved::step)
                                                        .distinct()
                                                        .toList())));
    }
}
