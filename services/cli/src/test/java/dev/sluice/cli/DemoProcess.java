package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import dev.sluice.process.ChildProcess;
import dev.sluice.process.PidFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** {@code sluice demo} as a process of its own, on the packaged services, as a user runs it. */
final class DemoProcess implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(5);

    private final Path directory;
    private final ChildProcess process;
    private final List<StepCompleted> steps = new CopyOnWriteArrayList<>();

    private DemoProcess(Path directory, ChildProcess process) {
        this.directory = directory;
        this.process = process;
    }

    static DemoProcess start(Path directory, int steps, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "demo",
                "--steps",
                Integer.toString(steps),
                "--work-dir",
                directory.resolve("work").toString()));
        command.addAll(List.of(options));
        return new DemoProcess(
                directory, ChildProcess.start(SluiceCommand.of(directory, directory.resolve("demo.log"), command)));
    }

    /** Follows the training log on the demo's own broker, once that is up. */
    StateReader followSteps() {
        PidFile broker = Awaitility.await()
                .atMost(DEADLINE)
                .until(() -> PidFile.read(stateFile("broker")), java.util.Optional::isPresent)
                .orElseThrow();
        KafkaConnection connection = new KafkaConnection("127.0.0.1:" + broker.port(), "demo-test");
        return StateReader.start(connection, List.of(Topics.TRAINING), record -> {
            if (record.event() instanceof StepCompleted step) {
                steps.add(step);
            }
        });
    }

    /** Returns when so many steps are trained. */
    void awaitStep(int step) {
        Awaitility.await()
                .atMost(DEADLINE)
                .failFast(() -> assertThat(process.isAlive()).as(this::output).isTrue())
                .until(() -> steps.stream().anyMatch(done -> done.step() >= step));
    }

    /** The steps that the log says are trained, in its order. */
    List<Integer> stepsTrained() {
        return steps.stream().map(StepCompleted::step).toList();
    }

    /** The process of a service, as its state file names it. */
    ProcessHandle service(String name) throws IOException {
        return PidFile.read(stateFile(name)).flatMap(PidFile::process).orElseThrow();
    }

    OptionalInt exitCode() throws Exception {
        return process.exited().get(DEADLINE.toSeconds(), TimeUnit.SECONDS).code();
    }

    JsonNode report() throws IOException {
        return new ObjectMapper().readTree(directory.resolve("work/report.json").toFile());
    }

    String output() {
        try {
            return Files.readString(directory.resolve("demo.log"));
        } catch (IOException e) {
            return "no output: " + e;
        }
    }

    /** The engines' own count of the tokens they generated, which no service of ours has touched. */
    long tokensInEngineJournals() throws IOException {
        return EngineJournals.tokens(directory.resolve("work/data/runs"));
    }

    /** Everything this process has started that still runs. */
    List<ProcessHandle> family() {
        return ProcessHandle.of(process.pid()).stream()
                .flatMap(ProcessHandle::descendants)
                .toList();
    }

    /** Kills the command itself, as a user's {@code kill -9} does. */
    void kill() {
        ProcessHandle.of(process.pid()).ifPresent(ProcessHandle::destroyForcibly);
    }

    @Override
    public void close() {
        process.stop(Duration.ofSeconds(15));
    }

    private Path stateFile(String name) {
        return directory.resolve("work/run/" + name + ".json");
    }
}
