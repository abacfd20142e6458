package dev.sluice.cli;

import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.run.RunFollower;
import dev.sluice.cli.run.RunProjection;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "continue", description = "Let a run go on that a guard has paused.")
final class ContinueCommand implements Callable<Integer> {
    private static final Duration ANSWER_DEADLINE = Duration.ofSeconds(30);

    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Mixin
    private StackOptions stack = new StackOptions();

    @Parameters(paramLabel = "RUN", description = "A run's id.")
    private String runId = "";

    @Option(
            names = "--reason",
            defaultValue = "continued by a person",
            description = "Why (default: ${DEFAULT-VALUE}).")
    private String reason = "";

    ContinueCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        RunClient client = stack.client();
        try (RunFollower follower = client.follow(runId)) {
            String trip = follower.look(run -> Runs.require(run).pausedBy());
            if (trip == null) {
                throw CommandFailure.usage("run %s is not paused by a guard: it is %s"
                        .formatted(runId, follower.look(RunProjection::phase).word()));
            }
            client.goOn(runId, trip, reason);
            Optional<Boolean> goesOn = follower.await(
                    run -> trip.equals(run.pausedBy()) ? Optional.empty() : Optional.of(true), ANSWER_DEADLINE);
            if (goesOn.isEmpty()) {
                throw CommandFailure.failed(
                        "the run's trainer did not answer within %d s; the request is in the log and holds when it does"
                                .formatted(ANSWER_DEADLINE.toSeconds()));
            }
            Runs.tell(terminal, runId, follower.look(RunProjection::phase), "goes on");
            return ExitCode.OK;
        }
    }
}
