package dev.sluice.cli;

import dev.sluice.cli.checkpoint.ConversionRun;
import dev.sluice.cli.replay.ChangedRequest;
import dev.sluice.cli.replay.ReplayRun;
import dev.sluice.cli.replay.ReplayView;
import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.stack.Installation;
import dev.sluice.cli.stack.OpenLog;
import dev.sluice.cli.stack.ReplayProgram;
import dev.sluice.domain.replay.ReplayLine;
import dev.sluice.domain.replay.ReplayOrder;
import dev.sluice.events.RunEvent.RunPlanned;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "replay",
        description = {
            "Train steps of a run again from its log, without engines, and compare the weights with those of the run.",
            "The run may be over or go on; nothing of it is changed."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:trained, with the weights of the run wherever its settings were used and its weights recorded",
            "1:the weights are others, or the log or files that it needs are gone",
            "2:the command line is not right, or asks for steps and settings that the run cannot have",
            "130:ended by Ctrl-C"
        })
final class ReplayCommand implements Callable<Integer> {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS");

    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Mixin
    private StackOptions stack = new StackOptions();

    @Parameters(paramLabel = "RUN", description = "A run's id.")
    private String runId = "";

    @Option(
            names = "--from",
            paramLabel = "STEP",
            required = true,
            description = "The last step that stays as it was; 0 is the model before training. Training begins at the"
                    + " newest kept cut at or before it.")
    private int from;

    @Option(names = "--to", paramLabel = "STEP", description = "The last step to train (default: the last of the log).")
    private @Nullable Integer to;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Train the steps after --from with another value, such as training.learningRate=1e-4 or"
                    + " algorithm.clipHigh=0.28; may be repeated.")
    private List<String> settings = new ArrayList<>();

    @Option(
            names = "--export",
            paramLabel = "DIR",
            description = "Write the result there as a Hugging Face directory; must not exist.")
    private @Nullable Path export;

    ReplayCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        output.applyTo(terminal);
        requireSteps();
        try (OpenLog log = stack.openLog(terminal::say)) {
            RunPlanned planned = ResumedRequest.planned(new RunClient(log.bootstrapServers()), runId);
            ReplayOrder order =
                    new ReplayOrder(runId, from, to, ChangedRequest.of(planned.request(), settings), export != null);
            Path directory = stack.data().resolve("replays").resolve(runId + "-" + TIME.format(LocalDateTime.now()));
            ReplayView view = new ReplayView(terminal, runId);
            AtomicReference<String> saved = new AtomicReference<>();
            ReplayProgram program = new ReplayProgram(Installation.ofThisProcess(), log.bootstrapServers());
            new ReplayRun(program, directory).run(order, line -> take(line, view, saved));
            if (export != null) {
                convert(
                        Path.of(saved.get()),
                        export,
                        Path.of(planned.request().model().path()));
            }
            view.show(export == null ? null : export.toString());
            return view.reproduced() ? ExitCode.OK : ExitCode.FAILED;
        }
    }

    private void requireSteps() {
        if (from < 0) {
            throw CommandFailure.usage("--from %d: give the last step that stays, or 0 for all".formatted(from));
        }
        if (to != null && to <= from) {
            throw CommandFailure.usage(
                    "--from %d --to %d: no step lies between them; give --to %d or more".formatted(from, to, from + 1));
        }
        if (export != null && Files.exists(export)) {
            throw CommandFailure.usage(export + " exists already and is not replaced; choose another directory");
        }
    }

    private static void take(ReplayLine line, ReplayView view, AtomicReference<String> saved) {
        view.take(line);
        if (line.saved() != null) {
            saved.set(line.saved().directory());
        }
    }

    private void convert(Path cut, Path target, Path model) {
        int code = new ConversionRun(terminal.aside(), false).run(cut, target, model, null);
        if (code != ExitCode.OK) {
            throw CommandFailure.failed("the result could not be exported; it lies in " + cut);
        }
    }
}
