package dev.sluice.cli;

import dev.sluice.cli.doctor.Wishes;
import dev.sluice.events.Backend;
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
        name = "doctor",
        description = {
            "Check this node before anything is started on it: driver, GPUs, Python packages, NCCL, memory, disks, limits, ports"
                    + " and clocks, and say what each lack means and how to mend it. Starts no service.",
            "For a cluster run it on every node."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:nothing that the backend needs failed; there may be warnings",
            "1:something failed",
            "2:the command line is not right, or the request cannot be planned"
        })
final class DoctorCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Parameters(arity = "0..1", paramLabel = "REQUEST", description = "What is to run: its plan says what it needs.")
    private @Nullable Path request;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Replace a value of the request; may be repeated.")
    private List<String> settings = new ArrayList<>();

    @Option(
            names = "--backend",
            description = "Judge for cpu or gpu; default the request's, else gpu where a driver is loaded.")
    private @Nullable Backend backend;

    @Option(
            names = "--engine",
            paramLabel = "PROGRAM",
            split = " +",
            hideParamSyntax = true,
            description = "What starts an engine, as for \"up\"; default SLUICE_ROLLOUT_ENGINE_COMMAND, else python3.")
    private List<String> engine = new ArrayList<>();

    @Option(
            names = "--worker",
            paramLabel = "PROGRAM",
            split = " +",
            hideParamSyntax = true,
            description =
                    "What starts the ranks of a training worker; default SLUICE_TRAINER_WORKER_GPU_COMMAND, else python3.")
    private List<String> worker = new ArrayList<>();

    @Option(
            names = "--work-dir",
            defaultValue = UpCommand.DEFAULT_WORK_DIRECTORY,
            description = "The work directory of \"up\" (default: ${DEFAULT-VALUE}).")
    private Path workDirectory = Path.of(UpCommand.DEFAULT_WORK_DIRECTORY);

    @Option(
            names = "--data-root",
            paramLabel = "DIR",
            description = "Where runs keep their files; default SLUICE_DATA_ROOT, else data/ of the work directory.")
    private @Nullable Path dataRoot;

    @Option(names = "--bootstrap", paramLabel = "HOST:PORT", description = "The broker, where one runs already.")
    private @Nullable String bootstrap;

    @Option(names = "--mark", description = "Leave a mark of this host in the data root, for other hosts to see.")
    private boolean mark;

    @Option(names = "--quick", description = "Look packages up without importing them, and measure no bandwidth.")
    private boolean quick;

    @Option(names = "--nodes", defaultValue = "1", description = "Measure bandwidth over so many nodes at once.")
    private int nodes;

    @Option(names = "--node-rank", defaultValue = "0", description = "Which of them this one is, from 0.")
    private int nodeRank;

    @Option(names = "--master", paramLabel = "HOST:PORT", description = "Where node 0 listens meanwhile.")
    private @Nullable String master;

    DoctorCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        return new Wishes(
                        request,
                        settings,
                        backend,
                        engine,
                        worker,
                        workDirectory,
                        dataRoot,
                        bootstrap,
                        nodes,
                        nodeRank,
                        master,
                        quick,
                        mark)
                .examine(terminal);
    }
}
