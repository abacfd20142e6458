package dev.sluice.rollout.engine;

import dev.sluice.domain.arguments.EnvironmentNames;
import dev.sluice.events.Problem;
import dev.sluice.http.Json;
import dev.sluice.process.ChildCommand;
import dev.sluice.process.ChildExit;
import dev.sluice.process.ChildProcess;
import dev.sluice.process.Life;
import dev.sluice.process.PortLease;
import dev.sluice.process.VisibleGpus;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.assignment.Share.Node;
import dev.sluice.sglang.SglangClient;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts engines as child processes. The program comes from our configuration, the arguments from the plan.
 *
 * @param command program and leading arguments
 * @param life what ends an engine when this service dies
 * @param dataRoot where logs and journals of runs lie
 * @param allowedRoots directories from which an engine may load
 * @param meetingHost where other hosts reach this one, for engines of several nodes
 * @param listening where engines answer
 * @param objection what is wrong with a path that an event names, if anything
 */
public record ChildEngineLauncher(
        List<String> command,
        Life life,
        Path dataRoot,
        List<Path> allowedRoots,
        String meetingHost,
        Listening listening,
        Function<String, Optional<String>> objection)
        implements EngineLauncher {
    private static final Logger LOG = LoggerFactory.getLogger(ChildEngineLauncher.class);

    public ChildEngineLauncher {
        command = List.copyOf(command);
        allowedRoots = List.copyOf(allowedRoots);
    }

    @Override
    public EngineProcess launch(String engineId, Share share, List<Integer> gpus) throws IOException {
        if (command.isEmpty()) {
            throw new IOException("no engine program is configured; set sluice.rollout.engine.command");
        }
        Optional<String> wrong = objection.apply(share.recipe().modelPath());
        if (wrong.isPresent()) {
            throw new IOException(wrong.get());
        }
        Path logs = Files.createDirectories(
                dataRoot.resolve("runs").resolve(share.runId()).resolve("logs"));
        EngineCommand engine = EngineCommand.of(share.recipe().args(), objection);
        Node node = share.node();
        // All nodes of an engine have one id, and their hosts may share this folder.
        String name = node == null || !node.follows() ? engineId : engineId + "-node" + node.rank();
        Map<String, String> environment = new HashMap<>(planned(share.recipe().environment()));
        environment.putAll(environment(logs.resolve(name + ".journal"), gpus));
        PortLease port = PortLease.take(engine.ports(node));
        Path secrets = null;
        try {
            if (node != null && !node.follows()) {
                node = node.meetingAt(meetingHost + ":" + EngineCommand.meetingPort(port.port()));
            }
            List<String> line = new ArrayList<>(
                    engine.line(command, share.recipe().modelPath(), listening.host(), port.port(), node));
            secrets = secrets();
            if (secrets != null) {
                line.addAll(List.of("--config", secrets.toString()));
            }
            ChildCommand child = ChildCommand.of(line, logs, logs.resolve(name + ".log"))
                    .withEnvironment(environment)
                    .withLife(life);
            return new Child(
                    ChildProcess.start(child),
                    port,
                    new SglangClient(listening.address(port.port()), listening.apiKey()),
                    node == null ? null : node.meetingAddress(),
                    secrets);
        } catch (IOException | RuntimeException e) {
            port.close();
            if (secrets != null) {
                Files.deleteIfExists(secrets);
            }
            throw e;
        }
    }

    /**
     * A file with the token, because everybody on a host sees command lines. It is JSON, which YAML contains.
     *
     * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/server_args_config_parser.py">
     *     ConfigArgumentMerger</a>
     */
    private @Nullable Path secrets() throws IOException {
        if (listening.apiKey() == null) {
            return null;
        }
        Path file = Files.createTempFile("sluice-engine-", ".yaml"); // which its owner alone may read
        Json.MAPPER.writeValue(file.toFile(), Map.of("api-key", listening.apiKey()));
        return file;
    }

    /** A variable can load code, so the plan's pass the list that the planner holds requests to. */
    private static Map<String, String> planned(Map<String, String> environment) {
        List<Problem> problems = EnvironmentNames.problems(environment);
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException("the plan's environment of engines cannot be used: "
                    + problems.stream().map(Problem::message).collect(Collectors.joining("; ")));
        }
        return environment;
    }

    private Map<String, String> environment(Path journal, List<Integer> gpus) {
        Map<String, String> environment = new HashMap<>();
        environment.put("SLUICE_ENGINE_JOURNAL", journal.toString());
        environment.put(
                "SLUICE_ALLOWED_ROOTS",
                allowedRoots.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)));
        if (!gpus.isEmpty()) {
            environment.put(VisibleGpus.ENVIRONMENT_NAME, VisibleGpus.of(gpus));
        }
        return environment;
    }

    private static final class Child implements EngineProcess {
        private final ChildProcess process;
        private final PortLease lease;
        private final SglangClient client;
        private final @Nullable String meetingAddress;
        private final @Nullable Path secrets;
        private final EngineApi api;

        Child(
                ChildProcess process,
                PortLease lease,
                SglangClient client,
                @Nullable String meetingAddress,
                @Nullable Path secrets) {
            this.process = process;
            this.lease = lease;
            this.client = client;
            this.meetingAddress = meetingAddress;
            this.secrets = secrets;
            this.api = new SglangEngine(client);
            process.exited().whenComplete((exit, failure) -> release());
        }

        private void release() {
            try {
                if (secrets != null) {
                    Files.deleteIfExists(secrets);
                }
                lease.close();
            } catch (IOException e) {
                LOG.warn("what an engine on port {} had could not be given back: {}", lease.port(), e.getMessage());
            }
        }

        @Override
        public int port() {
            return lease.port();
        }

        @Override
        public URI address() {
            return client.baseUri();
        }

        @Override
        public Optional<String> meetingAddress() {
            return Optional.ofNullable(meetingAddress);
        }

        @Override
        public long pid() {
            return process.pid();
        }

        @Override
        public EngineApi api() {
            return api;
        }

        @Override
        public CompletableFuture<ChildExit> exited() {
            return process.exited();
        }

        @Override
        public List<String> lastLines(int atMost) {
            return process.lastLines(atMost);
        }

        @Override
        public ChildExit stop(Duration grace) {
            return process.stop(grace);
        }
    }
}
