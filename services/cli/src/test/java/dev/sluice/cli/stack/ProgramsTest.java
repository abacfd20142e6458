package dev.sluice.cli.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.stack.ServiceProgram.StopTurn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgramsTest {
    @TempDir
    private Path root;

    private WorkDirectory work;

    @BeforeEach
    void take() {
        work = WorkDirectory.take(root.resolve("work"));
    }

    @AfterEach
    void release() throws IOException {
        work.close();
    }

    @Test
    void everyServiceGetsTheBrokerItsNameAndTheRootsOfRequests() throws IOException {
        build("planner", "converter", "rollout", "trainer", "dashboard");

        List<ServiceProgram> programs = programs(2).services("127.0.0.1:9092", 8081);

        assertThat(programs)
                .extracting(ServiceProgram::name)
                .containsExactly("planner", "converter", "rollout-1", "rollout-2", "trainer-1", "dashboard");
        assertThat(programs)
                .allSatisfy(program -> assertThat(program.environment())
                        .containsEntry("SLUICE_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
                        .containsEntry("SLUICE_INSTANCE_ID", program.name())
                        .containsEntry("SLUICE_DATA_ROOT", work.data().toString())
                        .containsEntry("SLUICE_INPUT_ROOTS", "/prompts," + root.resolve("deploy")));
        assertThat(programs.getLast().environment()).containsEntry("QUARKUS_HTTP_PORT", "8081");
        assertThat(programs).extracting(ServiceProgram::stopTurn).contains(StopTurn.TRAINER, StopTurn.ROLLOUT);
    }

    @Test
    void rolloutAndTrainerAreToldTheCommandsOfTheCpuBackend() throws IOException {
        build("planner", "converter", "rollout", "trainer", "dashboard");

        List<ServiceProgram> programs = programs(1).services("127.0.0.1:9092", 8081);

        assertThat(programs.get(2).command())
                .anyMatch(argument -> argument.startsWith("-Dsluice.rollout.engine.command=")
                        && argument.endsWith(",dev.sluice.cpu.engine.EngineMain"));
        assertThat(programs.get(3).command())
                .anyMatch(argument -> argument.startsWith("-Dsluice.trainer.worker.command=")
                        && argument.endsWith(",dev.sluice.cpu.worker.WorkerMain"));
    }

    @Test
    void rolloutStartsAnotherEngineProgramIfGivenAndGuardsItBecauseItDoesNotWatchItsInput() throws IOException {
        build("planner", "converter", "rollout", "trainer", "dashboard");
        StackSettings settings =
                new StackSettings(1, List.of(), List.of("python3", "-m", "sglang.launch_server"), false);

        List<String> rollout = new Programs(new Installation(root), work, settings)
                .services("127.0.0.1:9092", 8081)
                .get(2)
                .command();

        assertThat(rollout)
                .contains(
                        "-Dsluice.rollout.engine.command=python3,-m,sglang.launch_server",
                        "-Dsluice.rollout.engine.life=guarded");
    }

    @Test
    void servicesThatAreNotBuiltAreNamedWithTheMend() throws IOException {
        build("planner", "converter", "trainer");

        assertThatThrownBy(() -> programs(1).services("127.0.0.1:9092", 8081))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("not built: rollout-1, dashboard")
                .hasMessageContaining("./mvnw package");
    }

    @Test
    void commasInAListAreEscapedAsQuarkusReadsThem() {
        assertThat(Programs.configList(List.of("a,b", "c\\d"))).isEqualTo("a\\,b,c\\\\d");
    }

    private Programs programs(int rolloutInstances) {
        return new Programs(
                new Installation(root),
                work,
                new StackSettings(rolloutInstances, List.of(Path.of("/prompts")), List.of(), false));
    }

    private void build(String... services) throws IOException {
        for (String service : services) {
            Path jar = root.resolve("services/" + service + "/target/quarkus-app/quarkus-run.jar");
            Files.createDirectories(jar.getParent());
            Files.writeString(jar, "");
        }
    }
}
