package dev.sluice.cli;

import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.run.RunFollower;
import dev.sluice.cli.run.RunPhase;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "cancel", description = "End a run early; what is trained so far is kept.")
final class CancelCommand implements Callable<Integer> {
    private static final Duration ANSWER_DEADLINE = Duration.ofSeconds(15);

    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Mixin
    private StackOptions stack = new StackOptions();

    @Parameters(paramLabel = "RUN", description = "A run's id.")
    private String runId = "";

    @Option(
            names = "--reason",
            defaultValue = "cancelled by a person",
            description = "Why (default: ${DEFAULT-VALUE}).")
    private String reason = "";

    CancelCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        RunClient client = stack.client();
        try (RunFollower follower = client.follow(runId)) {
            RunPhase before = follower.look(run -> Runs.require(run).phase());
            if (before.isOver()) {
                throw CommandFailure.usage("run " + runId + " is over already: " + before.word());
            }
            client.cancel(runId, reason);
            Optional<RunPhase> stopping = follower.await(
                    run -> run.phase() == RunPhase.STOPPING || run.phase().isOver()
                            ? Optional.of(run.phase())
                            : Optional.empty(),
                    ANSWER_DEADLINE);
            RunPhase phase = stopping.orElseThrow(() -> CommandFailure.failed("the planner did not answer within "
                    + ANSWER_DEADLINE.toSeconds() + " s; the cancellation is in the log and holds when it does"));
            Runs.tell(terminal, runId, phase, "is " + phase.word());
            return ExitCode.OK;
        }
    }
}
