package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.run.EngineKiller;
import dev.sluice.cli.run.LiveProgress;
import dev.sluice.cli.run.LogWatch;
import dev.sluice.cli.run.RequestFile;
import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.run.RunFollower;
import dev.sluice.cli.run.RunPhase;
import dev.sluice.cli.run.RunProjection;
import dev.sluice.cli.run.RunReport;
import dev.sluice.cli.run.RunSummary;
import dev.sluice.cli.stack.Installation;
import dev.sluice.cli.stack.LocalStack;
import dev.sluice.cli.stack.StackSettings;
import dev.sluice.cli.stack.WorkDirectory;
import dev.sluice.events.Rollout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "demo",
        description = "Train a tiny model on this machine with everything real: broker, all services, two rollout"
                + " instances; ends by itself with a table and report.json.")
final class DemoCommand implements Callable<Integer> {
    private static final int ROLLOUT_INSTANCES = 2;
    /** Longer than any single wait of a healthy run of the tiny model. */
    private static final Duration LONGEST_SILENCE = Duration.ofMinutes(3);

    private static final DateTimeFormatter RUN_ID = DateTimeFormatter.ofPattern("'demo-'yyyyMMdd-HHmmss");

    private final Terminal terminal;
    private final long start = System.nanoTime();

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Option(names = "--steps", description = "Training steps (default: as the example request says).")
    private @Nullable Integer steps;

    @Option(names = "--seed", description = "Seed of prompts and sampling (default: as the example request says).")
    private @Nullable Long seed;

    @Option(names = "--learning-rate", description = "For control runs: with 0 nothing is learnt.")
    private @Nullable Double learningRate;

    @Option(
            names = "--kill-engines",
            paramLabel = "N",
            description = "A fault test: kill N engines over the run, one after another, and say how fast it recovers."
                    + " A death costs a few seconds; give the run enough steps.")
    private int killEngines;

    @Option(names = "--keep", description = "Leave services and page up after the run, until Ctrl-C.")
    private boolean keep;

    @Option(
            names = "--work-dir",
            description =
                    "Where everything is kept (default: .sluice/demo, or .sluice/demo-2 and so on where it exists).")
    private @Nullable Path workDirectory;

    DemoCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        output.applyTo(terminal);
        Installation installation = Installation.ofThisProcess();
        ObjectNode request = RequestFile.read(installation.deploy().resolve("examples/tiny/request.yaml"), settings());
        StackSettings stackSettings = new StackSettings(ROLLOUT_INSTANCES, List.of(Path.of("")), List.of(), false);
        try (WorkDirectory directory = WorkDirectory.take(workDirectory == null ? fresh() : workDirectory);
                LocalStack stack = new LocalStack(installation, directory, stackSettings, terminal::say)) {
            Runtime.getRuntime().addShutdownHook(new Thread(stack::close, "stop-stack"));
            terminal.say("starting the broker and the services, logs in " + directory.logs());
            stack.start();
            Duration startup = elapsed();
            terminal.say("ready after %.1f s".formatted(startup.toMillis() / 1e3));
            stack.dashboard().ifPresent(page -> terminal.say("dashboard: " + page));
            int exitCode = run(stack, directory, request, startup);
            if (keep) {
                stack.dashboard().ifPresent(page -> terminal.say("the page stays at " + page + " until Ctrl-C"));
                throw CommandFailure.failed(stack.broken().join());
            }
            return exitCode;
        }
    }

    private int run(LocalStack stack, WorkDirectory directory, ObjectNode request, Duration startup)
            throws IOException {
        String runId = RUN_ID.format(LocalDateTime.now());
        RunClient client = new RunClient(stack.bootstrapServers());
        EngineKiller.Figures deaths = null;
        try (LogWatch log = client.watchLog(runId)) {
            try (RunFollower follower = client.follow(runId);
                    EngineKiller killer =
                            EngineKiller.start(stack.bootstrapServers(), runId, killEngines, terminal::say)) {
                client.submit(runId, request);
                terminal.say("run " + runId);
                LiveProgress.show(follower, terminal, stack.broken(), LONGEST_SILENCE);
                deaths = killEngines > 0 ? killer.figures() : null;
            }
            return report(client.read(runId), log, deaths, directory, startup);
        }
    }

    private int report(
            RunProjection run,
            LogWatch log,
            EngineKiller.@Nullable Figures deaths,
            WorkDirectory directory,
            Duration startup)
            throws IOException {
        // It was read again from the beginning: what the report says is what the log says, whatever came first.
        if (run.phase() == RunPhase.REJECTED) {
            Problems.show(terminal, run.runId(), run.problems());
            return ExitCode.USAGE;
        }
        Rollout rollout = run.planned() == null ? null : run.planned().request().rollout();
        List<String> findings =
                rollout == null ? List.of() : log.findings(rollout.maxPolicyLag(), rollout.staleSamples());
        RunReport report = RunReport.of(run, startup, elapsed()).with(deaths, findings);
        Path file = directory.path().resolve("report.json");
        report.write(file);
        RunSummary.lines(report, run.reason()).forEach(terminal::say);
        terminal.say("  report         " + file);
        if (terminal.json()) {
            terminal.result(report.toJson());
        }
        return run.phase() == RunPhase.SUCCEEDED && findings.isEmpty() ? ExitCode.OK : ExitCode.FAILED;
    }

    private List<String> settings() {
        List<String> settings = new ArrayList<>();
        if (steps != null) {
            settings.add("training.steps=" + steps);
        }
        if (seed != null) {
            settings.add("data.seed=" + seed);
        }
        if (learningRate != null) {
            settings.add("training.learningRate=" + learningRate);
        }
        return settings;
    }

    private static Path fresh() {
        Path parent = Path.of(".sluice");
        Path directory = parent.resolve("demo");
        for (int n = 2; Files.exists(directory); n++) {
            directory = parent.resolve("demo-" + n);
        }
        return directory;
    }

    private Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
