package dev.sluice.rollout;

import dev.sluice.process.ChildCommand;
import dev.sluice.process.ChildExit;
import dev.sluice.process.ChildProcess;
import dev.sluice.process.PidFile;
import dev.sluice.testkit.KafkaBroker;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The packaged service as a process of its own, with the CPU engine as its engines' program. */
record RunningRollout(String instanceId, ChildProcess process, Path stateFile) implements AutoCloseable {
    private static final Path ROOT = Path.of(System.getProperty("sluice.root"));
    private static final Path ENGINE = ROOT.resolve("services/cpu-backend/target");
    private static final String ENGINE_MAIN = "dev.sluice.cpu.engine.EngineMain";

    /**
     * Starts it.
     *
     * @param further variables of its environment
     */
    static RunningRollout start(
            KafkaBroker kafka, String instanceId, Path dataRoot, Path modelRoot, Map<String, String> further)
            throws IOException {
        String engine = "%s,-Xmx512m,-XX:+UseSerialGC,--enable-native-access=ALL-UNNAMED,-cp,%s,%s"
                .formatted(java(), engineClassPath(), ENGINE_MAIN);
        Path stateFile = dataRoot.resolve(instanceId + "-" + System.nanoTime() + ".json");
        Map<String, String> environment = new HashMap<>(Map.of(
                "SLUICE_STATE_FILE",
                stateFile.toString(),
                "SLUICE_KAFKA_BOOTSTRAP_SERVERS",
                kafka.bootstrapServers(),
                "SLUICE_INSTANCE_ID",
                instanceId,
                "SLUICE_DATA_ROOT",
                dataRoot.toString(),
                "SLUICE_INPUT_ROOTS",
                modelRoot.toString(),
                "SLUICE_ROLLOUT_SLOTS",
                "2",
                "SLUICE_ROLLOUT_ENGINE_COMMAND",
                engine));
        environment.putAll(further);
        List<String> command = List.of(
                java(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-jar",
                ROOT.resolve("services/rollout/target/quarkus-app/quarkus-run.jar")
                        .toString());
        Path log = dataRoot.resolve(instanceId + "-" + System.nanoTime() + ".log");
        return new RunningRollout(
                instanceId,
                ChildProcess.start(ChildCommand.of(command, dataRoot, log).withEnvironment(environment)),
                stateFile);
    }

    /** A CPU engine that no service started. */
    static ChildProcess startEngine(int port, Path model, Path root) throws IOException {
        List<String> command = List.of(
                java(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                engineClassPath(),
                ENGINE_MAIN,
                "--max-running-requests",
                "16",
                "--context-length",
                "512",
                "--skip-server-warmup",
                "--model-path",
                model.toString(),
                "--port",
                Integer.toString(port));
        return ChildProcess.start(ChildCommand.of(command, root, root.resolve("engine-" + System.nanoTime() + ".log"))
                .withEnvironment(Map.of("SLUICE_ALLOWED_ROOTS", root.toString())));
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** Whether the CPU engine is built; these tests have no other engine. */
    static boolean engineIsBuilt() throws IOException {
        Path jar = engineJar();
        if (jar == null) {
            return false;
        }
        try (var file = new java.util.jar.JarFile(jar.toFile())) {
            return file.getEntry(ENGINE_MAIN.replace('.', '/') + ".class") != null;
        }
    }

    private static String engineClassPath() throws IOException {
        return engineJar() + File.pathSeparator + ENGINE.resolve("lib") + "/*";
    }

    private static Path engineJar() throws IOException {
        if (!Files.isDirectory(ENGINE)) {
            return null;
        }
        try (Stream<Path> files = Files.list(ENGINE)) {
            return files.filter(file -> file.getFileName().toString().endsWith(".jar"))
                    .findFirst()
                    .orElse(null);
        }
    }

    /** Where its HTTP API answers. */
    URI address() throws IOException {
        return URI.create(
                "http://127.0.0.1:" + PidFile.read(stateFile).orElseThrow().port());
    }

    ChildExit stop() {
        return process.stop(Duration.ofSeconds(20));
    }

    @Override
    public void close() {
        stop();
    }
}
