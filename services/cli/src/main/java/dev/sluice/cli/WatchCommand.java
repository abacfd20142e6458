package dev.sluice.cli;

import dev.sluice.cli.run.LiveProgress;
import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.run.RunFollower;
import dev.sluice.cli.run.RunPhase;
import dev.sluice.cli.run.RunProjection;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "watch", description = "Show a run until it is over; Ctrl-C leaves it running.")
final class WatchCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Mixin
    private StackOptions stack = new StackOptions();

    @Parameters(paramLabel = "RUN", description = "A run's id.")
    private String runId = "";

    WatchCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        RunClient client = stack.client();
        try (RunFollower follower = client.follow(runId);
                BrokerWatch broker = BrokerWatch.start(stack.bootstrapServers())) {
            follower.look(Runs::require);
            LiveProgress.show(follower, terminal, broker.gone(), Runs.LONGEST_SILENCE);
        }
        RunProjection run = client.read(runId);
        new RunView(terminal).show(run);
        return run.phase() == RunPhase.SUCCEEDED ? ExitCode.OK : ExitCode.FAILED;
    }
}
