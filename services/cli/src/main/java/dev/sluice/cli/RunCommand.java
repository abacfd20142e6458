package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.run.LiveProgress;
import dev.sluice.cli.run.PlannerClient;
import dev.sluice.cli.run.RequestFile;
import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.run.RunFollower;
import dev.sluice.cli.run.RunPhase;
import dev.sluice.events.EventJson;
import dev.sluice.events.RunEvent.RunPlanned;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "run", description = "Hand a request to running services.")
final class RunCommand implements Callable<Integer> {
    private static final Duration ANSWER_DEADLINE = Duration.ofSeconds(30);
    private static final int LONGEST_NAME = 24;
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss");

    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Mixin
    private StackOptions stack = new StackOptions();

    @Parameters(
            arity = "0..1",
            paramLabel = "REQUEST",
            description = "A request in YAML or JSON; paths in it are relative to the file.")
    private @Nullable Path file;

    @Option(
            names = "--resume",
            paramLabel = "RUN",
            description =
                    "Instead of REQUEST: a new run with the request of this one, which has ended, that goes on from"
                            + " its newest cut. For more steps: --set training.steps=N, the steps before included.")
    private @Nullable String resume;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Replace a value, such as training.steps=4; may be repeated.")
    private List<String> settings = new ArrayList<>();

    @Option(names = "--id", description = "The run's id (default: its name and the time). The same id is the same run.")
    private @Nullable String id;

    @Option(names = "--dry-run", description = "Only say whether and how it would run.")
    private boolean dryRun;

    @Option(names = "--follow", description = "Stay and show the run until it is over.")
    private boolean follow;

    RunCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        ObjectNode request = request();
        if (dryRun) {
            return new DryRun(terminal, new PlannerClient(stack.service("planner"))).show(request);
        }
        String runId = id == null ? nameOf(request) + "-" + TIME.format(LocalDateTime.now()) : id;
        RunClient client = stack.client();
        try (RunFollower follower = client.follow(runId)) {
            int before = follower.look(run -> run.answers());
            client.submit(runId, request);
            Optional<Integer> answer = follower.await(
                    run -> run.answers() > before ? Optional.of(run.answers()) : Optional.empty(),
                    before > 0 ? Duration.ofSeconds(5) : ANSWER_DEADLINE);
            if (answer.isEmpty() && before == 0) {
                throw CommandFailure.failed("the planner did not answer within " + ANSWER_DEADLINE.toSeconds()
                        + " s; look at \"sluice status\" and the planner's log. The request is in the log and will be"
                        + " answered when a planner runs");
            }
            if (answer.isPresent() && !follower.look(run -> run.problems()).isEmpty()) {
                Problems.show(terminal, runId, follower.look(run -> run.problems()));
                return ExitCode.USAGE;
            }
            return accepted(client, follower, runId);
        }
    }

    private ObjectNode request() {
        if ((file == null) == (resume == null)) {
            throw CommandFailure.usage("give either a REQUEST file or --resume RUN");
        }
        return file == null
                ? ResumedRequest.of(stack.client(), String.valueOf(resume), settings)
                : RequestFile.read(file, settings);
    }

    private int accepted(RunClient client, RunFollower follower, String runId) {
        RunPlanned planned = follower.look(run -> run.planned());
        if (!follow) {
            show(runId, planned);
            return ExitCode.OK;
        }
        terminal.say("run " + runId + " is planned");
        try (BrokerWatch broker = BrokerWatch.start(stack.bootstrapServers())) {
            LiveProgress.show(follower, terminal, broker.gone(), Runs.LONGEST_SILENCE);
        }
        new RunView(terminal).show(client.read(runId));
        return follower.look(run -> run.phase()) == RunPhase.SUCCEEDED ? ExitCode.OK : ExitCode.FAILED;
    }

    private void show(String runId, @Nullable RunPlanned planned) {
        if (terminal.json()) {
            var json = EventJson.mapper().createObjectNode().put("runId", runId);
            json.set("plan", EventJson.mapper().valueToTree(planned == null ? null : planned.plan()));
            terminal.result(json.toPrettyString());
            return;
        }
        terminal.result("run " + runId + " is planned; watch it with: sluice watch " + runId);
        if (planned != null) {
            planned.plan()
                    .warnings()
                    .forEach(warning -> terminal.result("warning: " + warning.path() + ": " + warning.message()));
        }
    }

    private static String nameOf(ObjectNode request) {
        String name =
                request.path("name").asText("run").toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9-]+", "-");
        String trimmed = name.replaceAll("^-+|-+$", "");
        return trimmed.isEmpty() ? "run" : trimmed.substring(0, Math.min(LONGEST_NAME, trimmed.length()));
    }
}
