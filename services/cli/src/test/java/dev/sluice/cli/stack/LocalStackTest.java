package dev.sluice.cli.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.stack.ServiceProgram.Ready;
import dev.sluice.cli.stack.ServiceProgram.StopTurn;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.process.PidFile;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalStackTest {
    private static final Map<String, StopTurn> NAMES =
            Map.of("trainer-1", StopTurn.TRAINER, "rollout-1", StopTurn.ROLLOUT, "planner", StopTurn.REST);

    @TempDir
    private Path directory;

    private final List<String> said = new CopyOnWriteArrayList<>();

    @Test
    void stopsTheTrainerFirstThenRolloutThenTheRestAndTheBrokerLast() throws IOException {
        SmallPrograms programs = new SmallPrograms(directory, NAMES);
        try (WorkDirectory work = WorkDirectory.take(directory);
                LocalStack stack = new LocalStack(work, programs, said::add)) {
            stack.start();
        }

        assertThat(Files.readAllLines(programs.journal()))
                .startsWith("started broker")
                .endsWith("stopped trainer-1", "stopped rollout-1", "stopped planner", "stopped broker");
    }

    @Test
    void startsAServiceAgainThatDiesAndSaysSoInOneLine() throws IOException {
        try (WorkDirectory work = WorkDirectory.take(directory);
                LocalStack stack = new LocalStack(work, new SmallPrograms(directory, NAMES), said::add)) {
            stack.start();
            PidFile before = state("rollout-1");
            kill(before);

            await().atMost(Duration.ofSeconds(20))
                    .until(() -> Files.exists(work.stateFile("rollout-1"))
                            && state("rollout-1").pid() != before.pid());

            assertThat(said)
                    .filteredOn(line -> line.contains("starting it again"))
                    .singleElement()
                    .asString()
                    .contains("rollout-1", "code 7", "1 of 5");
            assertThat(stack.broken()).isNotDone();
        }
    }

    @Test
    void leavesNobodyBehindWhenClosed() throws IOException {
        List<PidFile> all;
        try (WorkDirectory work = WorkDirectory.take(directory);
                LocalStack stack = new LocalStack(work, new SmallPrograms(directory, NAMES), said::add)) {
            stack.start();
            all = List.of(state("broker"), state("planner"), state("trainer-1"), state("rollout-1"));
        }

        assertThat(all).allMatch(state -> state.process().isEmpty());
    }

    @Test
    void endsWhatAnEarlierLifeLeft() throws Exception {
        SmallPrograms programs = new SmallPrograms(directory, NAMES);
        Process leftover = new ProcessBuilder(programs.broker().command()).start();
        await().atMost(Duration.ofSeconds(20)).until(() -> Files.exists(directory.resolve("run/broker.json")));

        try (WorkDirectory work = WorkDirectory.take(directory);
                LocalStack stack = new LocalStack(work, programs, said::add)) {
            stack.start();

            assertThat(leftover.isAlive()).isFalse();
            assertThat(said).anyMatch(line -> line.startsWith("ended 1 processes"));
        }
    }

    @Test
    void aServiceThatDiesAtItsStartIsAnErrorWithItsLastLines() throws IOException {
        ServiceProgram broken = new ServiceProgram(
                "broker",
                StopTurn.BROKER,
                Ready.STATE_FILE,
                List.of("sh", "-c", "echo port 9 is taken; exit 1"),
                Map.of());
        StackPrograms programs = new StackPrograms() {
            @Override
            public ServiceProgram broker() {
                return broken;
            }

            @Override
            public List<ServiceProgram> services(String bootstrapServers, int dashboardPort) {
                return List.of();
            }
        };
        try (WorkDirectory work = WorkDirectory.take(directory);
                LocalStack stack = new LocalStack(work, programs, said::add)) {

            assertThatThrownBy(stack::start)
                    .isInstanceOf(CommandFailure.class)
                    .hasMessageContaining("broker did not start")
                    .hasMessageContaining("port 9 is taken");
        }
    }

    private PidFile state(String name) throws IOException {
        return PidFile.read(directory.resolve("run/" + name + ".json")).orElseThrow();
    }

    private static void kill(PidFile service) {
        try {
            HttpEndpoint.at(URI.create("http://127.0.0.1:" + service.port()))
                    .call(HttpCall.get("/die", Duration.ofSeconds(5)));
        } catch (HttpCallException e) {
            // It died before it could answer.
        }
    }
}
