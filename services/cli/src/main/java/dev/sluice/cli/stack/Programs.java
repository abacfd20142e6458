package dev.sluice.cli.stack;

import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.stack.ServiceProgram.Ready;
import dev.sluice.cli.stack.ServiceProgram.StopTurn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The packaged programs, with their commands and environments. */
final class Programs implements StackPrograms {
    private final Installation installation;
    private final WorkDirectory workDirectory;
    private final StackSettings settings;

    Programs(Installation installation, WorkDirectory workDirectory, StackSettings settings) {
        this.installation = installation;
        this.workDirectory = workDirectory;
        this.settings = settings;
    }

    @Override
    public ServiceProgram broker() {
        List<String> command = java(JavaFlags.BROKER);
        command.addAll(List.of("-cp", installation.brokerClassPath(), "dev.sluice.broker.BrokerMain"));
        command.addAll(List.of("--dir", workDirectory.broker().toString()));
        command.addAll(List.of("--state-file", workDirectory.stateFile("broker").toString()));
        return new ServiceProgram("broker", StopTurn.BROKER, Ready.STATE_FILE, command, Map.of());
    }

    @Override
    public List<ServiceProgram> services(String bootstrapServers, int dashboardPort) {
        List<ServiceProgram> programs = new ArrayList<>();
        programs.add(quarkus("planner", "planner", StopTurn.REST, JavaFlags.SERVICE, bootstrapServers));
        programs.add(quarkus("converter", "converter", StopTurn.REST, JavaFlags.CONVERTER, bootstrapServers));
        IntStream.rangeClosed(1, settings.rolloutInstances())
                .mapToObj(i -> quarkus("rollout-" + i, "rollout", StopTurn.ROLLOUT, engineFlags(), bootstrapServers))
                .forEach(programs::add);
        programs.add(quarkus("trainer-1", "trainer", StopTurn.TRAINER, workerFlags(), bootstrapServers));
        programs.add(dashboard(bootstrapServers, dashboardPort));
        return settings.builtOnly() ? programs.stream().filter(this::isBuilt).toList() : requireBuilt(programs);
    }

    private ServiceProgram dashboard(String bootstrapServers, int port) {
        ServiceProgram plain = quarkus("dashboard", "dashboard", StopTurn.REST, JavaFlags.SERVICE, bootstrapServers);
        Map<String, String> environment = new HashMap<>(plain.environment());
        environment.put("QUARKUS_HTTP_PORT", Integer.toString(port));
        return new ServiceProgram(plain.name(), plain.stopTurn(), plain.ready(), plain.command(), environment);
    }

    private List<String> engineFlags() {
        List<String> flags = new ArrayList<>(JavaFlags.POOL_SERVICE);
        if (settings.engineProgram().isEmpty()) {
            flags.add(property(
                    "sluice.rollout.engine.command", cpuBackend(installation, "dev.sluice.cpu.engine.EngineMain")));
        } else {
            flags.add(property("sluice.rollout.engine.command", settings.engineProgram()));
            flags.add("-Dsluice.rollout.engine.life=guarded"); // it does not watch its standard input for our end
        }
        return flags;
    }

    private List<String> workerFlags() {
        List<String> flags = new ArrayList<>(JavaFlags.POOL_SERVICE);
        flags.add(worker(installation));
        return flags;
    }

    /** What tells a trainer to train with the CPU worker. */
    static String worker(Installation installation) {
        return property("sluice.trainer.worker.command", cpuBackend(installation, "dev.sluice.cpu.worker.WorkerMain"));
    }

    private static List<String> cpuBackend(Installation installation, String mainClass) {
        List<String> program = new ArrayList<>(List.of(JavaFlags.java()));
        program.addAll(JavaFlags.CPU_BACKEND);
        program.addAll(List.of("-cp", installation.cpuBackendClassPath(), mainClass));
        return program;
    }

    private static String property(String key, List<String> program) {
        return "-D" + key + "=" + configList(program);
    }

    /** A list as Quarkus reads it from one property. */
    static String configList(List<?> values) {
        return values.stream()
                .map(value -> value.toString().replace("\\", "\\\\").replace(",", "\\,"))
                .collect(Collectors.joining(","));
    }

    private ServiceProgram quarkus(
            String name, String service, StopTurn turn, List<String> flags, String bootstrapServers) {
        List<String> command = java(flags);
        command.addAll(List.of("-jar", installation.quarkusJar(service).toString()));
        List<Path> roots = new ArrayList<>(settings.inputRoots());
        roots.add(installation.deploy());
        Map<String, String> environment = Map.of(
                "SLUICE_KAFKA_BOOTSTRAP_SERVERS", bootstrapServers,
                "SLUICE_DATA_ROOT", workDirectory.data().toString(),
                "SLUICE_INPUT_ROOTS", configList(roots),
                "SLUICE_STATE_FILE", workDirectory.stateFile(name).toString(),
                "SLUICE_INSTANCE_ID", name);
        return new ServiceProgram(name, turn, Ready.HEALTH, command, environment);
    }

    private static List<String> java(List<String> flags) {
        List<String> command = new ArrayList<>(List.of(JavaFlags.java()));
        command.addAll(flags);
        return command;
    }

    private boolean isBuilt(ServiceProgram program) {
        return installation.isBuilt(program.name().replaceFirst("-\\d+$", ""));
    }

    private List<ServiceProgram> requireBuilt(List<ServiceProgram> programs) {
        String missing = programs.stream()
                .filter(program -> !isBuilt(program))
                .map(ServiceProgram::name)
                .collect(Collectors.joining(", "));
        if (!missing.isEmpty()) {
            throw CommandFailure.failed(
                    "not built: " + missing + "; run ./mvnw package -DskipTests in " + installation.root());
        }
        return programs;
    }
}
