package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.eval.EvalRequest;
import dev.sluice.cli.eval.SampleScores;
import dev.sluice.cli.run.LiveProgress;
import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.run.RunFollower;
import dev.sluice.cli.run.RunPhase;
import dev.sluice.cli.run.RunProjection;
import dev.sluice.cli.stack.Installation;
import dev.sluice.cli.stack.LocalStack;
import dev.sluice.cli.stack.RunningStack;
import dev.sluice.cli.stack.StackSettings;
import dev.sluice.cli.stack.WorkDirectory;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "eval",
        description =
                "Sample and score prompts with a checkpoint, and train nothing: mean reward, pass@k, and a file with"
                        + " every response. Uses running services, or starts its own for as long as it takes.")
final class EvalCommand implements Callable<Integer> {
    private static final int ROLLOUT_INSTANCES = 2;
    private static final DateTimeFormatter RUN_ID = DateTimeFormatter.ofPattern("'eval-'yyyyMMdd-HHmmss");

    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Parameters(paramLabel = "CHECKPOINT", description = "A Hugging Face directory, such as a run's export.")
    private Path checkpoint = Path.of("");

    @Option(names = "--prompts", paramLabel = "FILE", description = "Rows to measure; may be repeated, a set each.")
    private List<Path> prompts = new ArrayList<>();

    @Option(
            names = "--request",
            paramLabel = "FILE",
            description = "A request whose keys of rows, reward and held-out sets are used.")
    private @Nullable Path request;

    @Option(
            names = "--samples",
            paramLabel = "N",
            description = "Responses a prompt (default: 4 for --prompts, else as --request says).")
    private @Nullable Integer samples;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description =
                    "Longest response (default: as --request says, else what the model's context leaves beside the"
                            + " longest prompt, at most 1024).")
    private @Nullable Integer maxTokens;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 is greedy (default: 1 for --prompts, else as --request says).")
    private @Nullable Double temperature;

    @Option(names = "--reward", description = "How responses are scored (default: exact, or as --request says).")
    private @Nullable String reward;

    @Option(names = "--pass-reward", defaultValue = "1.0", description = "Least reward of a sample that passes.")
    private double passReward;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Replace a value of the request, such as data.promptKey=question; may be repeated.")
    private List<String> settings = new ArrayList<>();

    @Option(names = "--work-dir", description = "The work directory of a running \"sluice up\".")
    private @Nullable Path workDirectory;

    @Option(names = "--bootstrap", paramLabel = "HOST:PORT", description = "The broker of running services.")
    private @Nullable String bootstrap;

    EvalCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        output.applyTo(terminal);
        if (prompts.isEmpty() && request == null) {
            throw CommandFailure.usage("nothing to measure: give --prompts FILE, or --request FILE with held-out sets");
        }
        List<Path> missing =
                prompts.stream().filter(file -> !Files.isRegularFile(file)).toList();
        if (!missing.isEmpty()) {
            throw CommandFailure.usage(missing.stream()
                    .map(file -> "there is no file " + file.toAbsolutePath().normalize())
                    .collect(Collectors.joining("\n")));
        }
        var sampling = new EvalRequest.Sampling(samples, maxTokens, temperature, reward);
        ObjectNode document = new EvalRequest(checkpoint, request, prompts, sampling, settings).document();
        if (bootstrap != null || workDirectory != null) {
            String servers = bootstrap == null ? RunningStack.in(workDirectory).bootstrapServers() : bootstrap;
            try (BrokerWatch broker = BrokerWatch.start(servers)) {
                return measure(servers, document, broker.gone());
            }
        }
        StackSettings stackSettings =
                new StackSettings(ROLLOUT_INSTANCES, EvalRequest.roots(document), List.of(), false);
        try (WorkDirectory directory = WorkDirectory.take(fresh());
                LocalStack stack =
                        new LocalStack(Installation.ofThisProcess(), directory, stackSettings, terminal::say)) {
            Runtime.getRuntime().addShutdownHook(new Thread(stack::close, "stop-stack"));
            terminal.say("starting the broker and the services, logs in " + directory.logs());
            stack.start();
            return measure(stack.bootstrapServers(), document, stack.broken());
        }
    }

    private int measure(String servers, ObjectNode document, CompletableFuture<String> broken) throws IOException {
        String runId = RUN_ID.format(LocalDateTime.now());
        RunClient client = new RunClient(servers);
        try (RunFollower follower = client.follow(runId)) {
            client.submit(runId, document);
            terminal.say("run " + runId);
            LiveProgress.show(follower, terminal, broken, Runs.LONGEST_SILENCE);
        }
        RunProjection run = client.read(runId);
        if (run.phase() == RunPhase.REJECTED) {
            Problems.show(terminal, runId, run.problems());
            return ExitCode.USAGE;
        }
        if (run.phase() != RunPhase.SUCCEEDED) {
            throw CommandFailure.failed(
                    "run %s %s: %s".formatted(runId, run.phase().word(), run.reason()));
        }
        List<SampleScores> scores = new ArrayList<>();
        for (Map.Entry<String, String> set : run.results().entrySet()) {
            scores.add(SampleScores.read(set.getKey(), file(set.getValue()), passReward));
        }
        show(runId, scores);
        return ExitCode.OK;
    }

    private static Path file(String path) {
        Path file = Path.of(path);
        if (!Files.isReadable(file)) {
            throw CommandFailure.failed(
                    "the responses lie in %s on the trainer's host and cannot be read here".formatted(file));
        }
        return file;
    }

    private void show(String runId, List<SampleScores> scores) {
        if (terminal.json()) {
            ObjectNode json = EventJson.mapper().createObjectNode().put("runId", runId);
            json.put("checkpoint", checkpoint.toAbsolutePath().normalize().toString());
            json.set("sets", EventJson.mapper().valueToTree(scores));
            terminal.result(json.toPrettyString());
            return;
        }
        TextTable table = new TextTable("set", "prompts", "samples", "reward", "pass@k", "truncated", "tokens");
        scores.forEach(set -> table.row(
                set.set(),
                set.prompts(),
                set.samples(),
                "%.3f ± %.3f".formatted(set.meanReward(), set.halfWidth()),
                set.passAt().entrySet().stream()
                        .map(pass -> "%d: %.3f".formatted(pass.getKey(), pass.getValue()))
                        .collect(Collectors.joining("  ")),
                "%.1f %%".formatted(100 * set.truncated()),
                "%.1f".formatted(set.meanTokens())));
        terminal.result(table.toString());
        scores.forEach(set -> terminal.result("responses of %s: %s".formatted(set.set(), set.file())));
    }

    private static Path fresh() {
        Path parent = Path.of(".sluice");
        Path directory = parent.resolve("eval");
        for (int n = 2; Files.exists(directory); n++) {
            directory = parent.resolve("eval-" + n);
        }
        return directory;
    }
}
