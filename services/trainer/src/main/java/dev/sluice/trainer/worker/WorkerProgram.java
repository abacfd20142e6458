package dev.sluice.trainer.worker;

import dev.sluice.domain.arguments.EnvironmentNames;
import dev.sluice.events.Backend;
import dev.sluice.events.Plan.TrainingPlan;
import dev.sluice.events.Problem;
import dev.sluice.process.ChildCommand;
import dev.sluice.process.Life;
import dev.sluice.process.VisibleGpus;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a run's worker is started with. The program comes from our configuration, its number of ranks and its environment from
 * the plan, its GPUs from the assignment. A CPU worker is one process; a GPU worker is a launcher that starts a rank for each
 * GPU, whose first serves the API.
 *
 * @see <a href="https://docs.pytorch.org/docs/stable/elastic/run.html">torchrun</a>
 */
final class WorkerProgram {
    private static final String TOKEN = "SLUICE_WORKER_TOKEN";
    private static final String THREADS = "OMP_NUM_THREADS";
    private static final String LOOPBACK = "127.0.0.1";

    private final TrainedRun run;
    private final TrainerConfig.Worker config;
    private final List<Path> roots;

    /** @param roots directories whose files the worker may read and write; the data root first */
    WorkerProgram(TrainedRun run, TrainerConfig.Worker config, List<Path> roots) {
        this.run = run;
        this.config = config;
        this.roots = List.copyOf(roots);
    }

    /** Neighbouring ports that it needs: for the API, and on GPUs for the meeting of its ranks. */
    int ports() {
        return onGpus() ? 2 : 1;
    }

    Duration startDeadline() {
        return onGpus() ? config.gpuStartDeadline() : config.startDeadline();
    }

    /** Whether ranks of it lie on other hosts, so that this host's process alone does not tell whether it lives. */
    boolean spansNodes() {
        return onGpus() && nodes() > 1;
    }

    /**
     * The worker's process on this host, which serves the API.
     *
     * @param port the first of its {@link #ports}
     */
    ChildCommand command(int port, String token) {
        List<String> line = new ArrayList<>(onGpus() ? launcher(0, meeting(port)) : cpuCommand());
        line.addAll(arguments(port));
        return child(line, token, run.folders().workerLog());
    }

    /**
     * The process that starts the ranks of a further node, none of which listens. It ends with this service: nobody takes it over.
     *
     * @param rank of the node, from 1
     */
    ChildCommand nodeCommand(int rank, String token) {
        List<String> line = launcher(rank, meeting(0));
        line.addAll(arguments(0));
        return child(line, token, run.folders().nodeLog(rank)).withLife(Life.GUARDED);
    }

    private ChildCommand child(List<String> line, String token, Path log) {
        Map<String, String> environment = new HashMap<>(planned());
        environment.putAll(config.environment());
        environment.put(TOKEN, token);
        if (onGpus() && System.getenv(THREADS) == null) {
            // Of several ranks torchrun gives each one thread; Adam on the host takes all that there are.
            int cores = Runtime.getRuntime().availableProcessors();
            environment.putIfAbsent(THREADS, Integer.toString(Math.max(1, cores / ranks())));
        }
        if (!run.place().gpus().isEmpty()) {
            environment.put(VisibleGpus.ENVIRONMENT_NAME, visibleGpus());
        }
        return ChildCommand.of(line, Path.of("").toAbsolutePath(), log)
                .withEnvironment(environment)
                .withLife(Life.DETACHED);
    }

    private List<String> arguments(int port) {
        List<String> arguments = new ArrayList<>(List.of("--host", LOOPBACK, "--port", Integer.toString(port)));
        arguments.addAll(List.of("--data-root", roots.getFirst().toString()));
        roots.stream().skip(1).forEach(root -> arguments.addAll(List.of("--allow-root", root.toString())));
        if (onGpus()) {
            // Its own bound comes first: it knows which rank is stuck, and ends all of them.
            long seconds = Math.max(1, config.callDeadline().toSeconds() * 9 / 10);
            arguments.addAll(List.of("--call-deadline", seconds + "s"));
        }
        return arguments;
    }

    private List<String> cpuCommand() {
        return config.command()
                .orElseThrow(
                        () -> new TrainingRefusedException(
                                "no training worker is configured; set sluice.trainer.worker.command to its program and arguments"));
    }

    private List<String> launcher(int nodeRank, Meeting meeting) {
        List<String> line = new ArrayList<>(config.gpuCommand());
        line.addAll(List.of("--nnodes", Integer.toString(nodes())));
        line.addAll(List.of("--node-rank", Integer.toString(nodeRank)));
        line.addAll(List.of("--nproc-per-node", Integer.toString(ranks())));
        // Given even for one node: the launcher's own port is the same for every run of a host.
        line.addAll(List.of("--master-addr", meeting.host(), "--master-port", Integer.toString(meeting.port())));
        line.addAll(List.of("-m", config.gpuModule()));
        return line;
    }

    private record Meeting(String host, int port) {}

    private Meeting meeting(int port) {
        if (!spansNodes()) {
            return new Meeting(LOOPBACK, port + 1);
        }
        String host = run.place().meetingHost();
        if (host == null) {
            throw new TrainingRefusedException(
                    "the worker spans %d nodes, and there is this one alone; choose a layout of at most %d GPUs"
                            .formatted(nodes(), run.request().cluster().gpusPerNode()));
        }
        return new Meeting(host, config.meetingPort());
    }

    private boolean onGpus() {
        return run.plan().backend() == Backend.GPU;
    }

    private int nodes() {
        return training().nodes(run.request().cluster().gpusPerNode());
    }

    private int ranks() {
        return training().ranksPerNode(run.request().cluster().gpusPerNode());
    }

    private TrainingPlan training() {
        return run.plan().training();
    }

    private String visibleGpus() {
        try {
            return VisibleGpus.of(run.place().gpus());
        } catch (IllegalArgumentException e) {
            throw new TrainingRefusedException(String.valueOf(e.getMessage()), e);
        }
    }

    /** A variable can load code, so the plan's pass the list that the planner holds requests to. */
    private Map<String, String> planned() {
        Map<String, String> environment = training().environment();
        List<Problem> problems = EnvironmentNames.problems(environment);
        if (!problems.isEmpty()) {
            throw new TrainingRefusedException("the plan's environment of workers cannot be used: "
                    + problems.stream().map(Problem::message).collect(Collectors.joining("; ")));
        }
        return environment;
    }
}
