package dev.sluice.cli.doctor;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.Terminal;
import dev.sluice.cli.plan.Planned;
import dev.sluice.cli.plan.RequestPlan;
import dev.sluice.cli.run.RequestFile;
import dev.sluice.cli.stack.RunningStack;
import dev.sluice.domain.plan.Verdict;
import dev.sluice.events.Backend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a person asked the doctor for; what was left open comes from the environment that services read, then from defaults.
 *
 * @param request to be run here, absent where none is known yet
 * @param settings that change the request
 * @param backend absent: the request's, else gpu where there is a driver
 * @param engine empty: {@code SLUICE_ROLLOUT_ENGINE_COMMAND}
 * @param worker empty: {@code SLUICE_TRAINER_WORKER_GPU_COMMAND}
 * @param dataRoot absent: {@code SLUICE_DATA_ROOT}, else that of the work directory
 * @param bootstrap absent: {@code SLUICE_KAFKA_BOOTSTRAP_SERVERS}, else the broker of the work directory, where one runs
 * @param master absent on one node
 */
public record Wishes(
        @Nullable Path request,
        List<String> settings,
        @Nullable Backend backend,
        List<String> engine,
        List<String> worker,
        Path workDirectory,
        @Nullable Path dataRoot,
        @Nullable String bootstrap,
        int nodes,
        int nodeRank,
        @Nullable String master,
        boolean quick,
        boolean mark) {
    private static final List<String> USUAL_ENGINE = List.of("python3", "-m", "sglang.launch_server");
    private static final List<String> USUAL_WORKER = List.of("python3", "-m", "torch.distributed.run");
    private static final Path DRIVER = Path.of("/proc/driver/nvidia/version");

    /** Returns the exit code. */
    public int examine(Terminal terminal) {
        return new Doctor(terminal).examine(order(System.getenv()));
    }

    Node.Order order(Map<String, String> environment) {
        Optional<Node.Job> job = Optional.ofNullable(request).map(this::planned);
        Path work = workDirectory.toAbsolutePath().normalize();
        Path data = dataRoot != null
                ? dataRoot
                : Optional.ofNullable(environment.get("SLUICE_DATA_ROOT"))
                        .map(Path::of)
                        .orElse(work.resolve("data"));
        return new Node.Order(
                backend(job),
                job,
                data.toAbsolutePath().normalize(),
                work,
                program(engine, environment.get("SLUICE_ROLLOUT_ENGINE_COMMAND"), USUAL_ENGINE),
                program(worker, environment.get("SLUICE_TRAINER_WORKER_GPU_COMMAND"), USUAL_WORKER),
                broker(environment, work),
                new Node.Place(nodes, nodeRank, master),
                quick,
                mark);
    }

    private Node.Job planned(Path file) {
        ObjectNode document = RequestFile.read(file, settings);
        Planned planned = RequestPlan.of(document, file, settings.isEmpty(), null);
        return switch (planned.verdict()) {
            case Verdict.Feasible feasible -> new Node.Job(feasible.request(), feasible.plan());
            case Verdict.Infeasible infeasible ->
                throw CommandFailure.usage("%s cannot be planned, so nothing is known of what it needs:%n%s"
                        .formatted(file, String.join(System.lineSeparator(), planned.problems())));
        };
    }

    private Backend backend(Optional<Node.Job> job) {
        if (backend != null) {
            return backend;
        }
        return job.map(one -> one.plan().backend()).orElseGet(() -> Files.exists(DRIVER) ? Backend.GPU : Backend.CPU);
    }

    private static List<String> program(List<String> given, @Nullable String configured, List<String> usual) {
        if (!given.isEmpty()) {
            return given;
        }
        // As Quarkus reads a list: commas part it, but not behind a backslash.
        return configured == null || configured.isBlank()
                ? usual
                : Arrays.stream(configured.split("(?<!\\\\),"))
                        .map(part -> part.strip().replace("\\,", ","))
                        .toList();
    }

    private Optional<String> broker(Map<String, String> environment, Path work) {
        String given = bootstrap != null ? bootstrap : environment.get("SLUICE_KAFKA_BOOTSTRAP_SERVERS");
        if (given != null) {
            return Optional.of(given);
        }
        try {
            return Optional.of(RunningStack.in(work).bootstrapServers());
        } catch (CommandFailure e) {
            return Optional.empty(); // nothing runs yet, as is usual before a start
        }
    }
}
