package dev.sluice.cli;

import dev.sluice.cli.stack.Installation;
import dev.sluice.cli.stack.LocalStack;
import dev.sluice.cli.stack.StackSettings;
import dev.sluice.cli.stack.WorkDirectory;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "up",
        description = "Start the broker and all services on this machine, until Ctrl-C.",
        footer = "%nThen, in another terminal: sluice run REQUEST.yaml --follow")
final class UpCommand implements Callable<Integer> {
    static final String DEFAULT_WORK_DIRECTORY = ".sluice/up";

    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Option(
            names = "--work-dir",
            defaultValue = DEFAULT_WORK_DIRECTORY,
            description = "Where the log, runs and checkpoints are kept (default: ${DEFAULT-VALUE}).")
    private Path workDirectory = Path.of(DEFAULT_WORK_DIRECTORY);

    @Option(names = "--rollout", defaultValue = "2", description = "Rollout instances (default: ${DEFAULT-VALUE}).")
    private int rolloutInstances;

    @Option(names = "--root", description = "A further directory that requests may name files in; may be repeated.")
    private List<Path> roots = new ArrayList<>();

    @Option(
            names = "--engine",
            paramLabel = "PROGRAM",
            split = " +",
            hideParamSyntax = true,
            description =
                    "What starts an engine instead of the CPU engine, with leading arguments in one string, such as"
                            + " \"python3 -m sglang.launch_server --attention-backend triton\".")
    private List<String> engineProgram = new ArrayList<>();

    @Option(names = "--built-only", hidden = true, description = "Leave services out that are not built.")
    private boolean builtOnly;

    UpCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        output.applyTo(terminal);
        List<Path> inputRoots = new ArrayList<>(roots);
        inputRoots.add(Path.of(""));
        StackSettings settings = new StackSettings(rolloutInstances, inputRoots, engineProgram, builtOnly);
        long start = System.nanoTime();
        try (WorkDirectory directory = WorkDirectory.take(workDirectory);
                LocalStack stack = new LocalStack(Installation.ofThisProcess(), directory, settings, terminal::say)) {
            Runtime.getRuntime().addShutdownHook(new Thread(stack::close, "stop-stack"));
            stack.start();
            double seconds = (System.nanoTime() - start) / 1e9;
            announce(stack, directory, seconds);
            throw CommandFailure.failed(stack.broken().join());
        }
    }

    private void announce(LocalStack stack, WorkDirectory directory, double seconds) throws IOException {
        if (terminal.json()) {
            var json = EventJson.mapper().createObjectNode();
            json.put("bootstrapServers", stack.bootstrapServers());
            stack.dashboard().ifPresent(page -> json.put("dashboard", page.toString()));
            json.put("workDirectory", directory.path().toString());
            json.put("seconds", seconds);
            terminal.result(json.toString());
            return;
        }
        terminal.say("ready after %.1f s".formatted(seconds));
        stack.dashboard().ifPresent(page -> terminal.say("dashboard    " + page));
        terminal.say("broker       " + stack.bootstrapServers());
        terminal.say("logs         " + directory.logs());
        terminal.say("Ctrl-C stops everything; the log and all runs stay in " + directory.path());
    }
}
