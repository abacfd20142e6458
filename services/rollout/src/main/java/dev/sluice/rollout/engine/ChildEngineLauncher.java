package dev.sluice.rollout.engine;

import dev.sluice.domain.arguments.EnvironmentNames;
import dev.sluice.events.Problem;
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
 * @param objection what is wrong with a path that an event names, if anything
 */
public record ChildEngineLauncher(
        List<String> command,
        Life life,
        Path dataRoot,
        List<Path> allowedRoots,
        String meetingHost,
        Function<String, Optional<String>> objection)
        implements EngineLauncher {
    private static final Logger LOG = LoggerFactory.getLogger(ChildEngineLauncher.class);
    private static final String HOST = "127.0.0.1";

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
        try {
            if (node != null && !node.follows()) {
                node = node.meetingAt(meetingHost + ":" + EngineCommand.meetingPort(port.port()));
            }
            List<String> line = engine.line(command, share.recipe().modelPath(), HOST, port.port(), node);
            ChildCommand child = ChildCommand.of(line, logs, logs.resolve(name + ".log"))
                    .withEnvironment(environment)
                    .withLife(life);
            return new Child(ChildProcess.start(child), port, node == null ? null : node.meetingAddress());
        } catch (IOException | RuntimeException e) {
            port.close();
            throw e;
        }
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
        private final @Nullable String meetingAddress;
        private final EngineApi api;

        Child(ChildProcess process, PortLease lease, @Nullable String meetingAddress) {
            this.process = process;
            this.meetingAddress = meetingAddress;
            this.lease = lease;
            this.api = new SglangEngine(new SglangClient(URI.create("http://" + HOST + ":" + lease.port()), null));
            process.exited().whenComplete((exit, failure) -> release());
        }

        private void release() {
            try {
                lease.close();
            } catch (IOException e) {
                LOG.warn("the lease of port {} could not be ended: {}", lease.port(), e.getMessage());
            }
        }

        @Override
        public int port() {
            return lease.port();
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
