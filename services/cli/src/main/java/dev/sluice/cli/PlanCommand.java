package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.plan.RequestPlan;
import dev.sluice.cli.run.RequestFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "plan",
        description = {
            "Say how a request would run, or everything that is wrong with it. Needs no services, no broker and no GPU.",
            "Where model.path is not on this machine, the published configuration of that name is taken."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:feasible", "2:rejected; every problem is listed"})
final class PlanCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Parameters(
            paramLabel = "REQUEST",
            description = "A request in YAML or JSON; paths in it are relative to the file.")
    private Path file = Path.of("");

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Replace a value, such as training.layout.tp=2; may be repeated.")
    private List<String> settings = new ArrayList<>();

    @Option(
            names = "--model",
            paramLabel = "DIRECTORY",
            description = "Where the model's config.json lies on this machine, if not in model.path.")
    private @Nullable Path model;

    @Option(names = "--args", description = "Show the whole command lines of engines and worker too.")
    private boolean arguments;

    PlanCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        ObjectNode request = RequestFile.read(file, settings);
        return RequestPlan.of(request, file, settings.isEmpty(), model).show(terminal, arguments);
    }
}
