package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Verdict;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.events.Rollout.Hooks;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.testkit.KafkaBroker;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** slime's users' generate function and dynamic filter in sluice-hooks, the packaged service and real CPU engines. */
@ExtendWith(KafkaBroker.class)
class GenerateHookIT {
    private static final Path HOOKS = Path.of(System.getProperty("sluice.root"), "services/sluice-hooks");
    private static final String RECENT_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 10))";
    /** Token of 5, which own_functions.two_turns says between the turns. */
    private static final int FIVE = 10;

    private static final int TURN = 6;

    private static Process server;
    private static String url;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() throws Exception {
        assertThat(RunningRollout.engineIsBuilt())
                .as("the CPU engine is built; if not: ./mvnw -pl services/cpu-backend -am package -DskipTests")
                .isTrue();
        assumeTrue(hasPython(), "there is no python3 of at least 3.10 here, so sluice-hooks is not tested");
        server = python(
                        "-m",
                        "sluice_hooks",
                        "--generate",
                        "own_functions.two_turns",
                        "--dynamic-filter",
                        "own_functions.keep",
                        "--args",
                        "{\"said\": %d, \"turn\": %d}".formatted(FIVE, TURN),
                        "--port",
                        "0",
                        "--workers",
                        "4")
                .start();
        String line = server.inputReader(StandardCharsets.UTF_8).readLine();
        assertThat(line).startsWith("sluice-hooks listens on ");
        url = line.substring("sluice-hooks listens on ".length());
    }

    @AfterAll
    static void stop() throws InterruptedException {
        if (server != null) {
            server.destroy();
            assertThat(server.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void aFunctionGeneratesEachSampleByAskingTheEnginesAndAFilterJudgesTheGroup(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService(Map.of("SLUICE_ROLLOUT_REWARD_URLS", url))) {
            // Given
            run.begin();
            // When
            GroupRequested task = publish(run, kafka, 0, null, "{\"graded\": true}");
            GroupSampled group = run.sampled(task);
            // Then
            assertThat(group.samples()).hasSize(Scenario.SAMPLES).allSatisfy(sample -> {
                byte[] mask = sample.lossMask().toArray();
                int[] said = IntStream.range(0, mask.length)
                        .filter(i -> mask[i] == 0)
                        .toArray();
                assertThat(said).hasSize(1);
                assertThat(sample.tokens().get(said[0])).isEqualTo(FIVE);
                assertThat(sample.versions()).containsExactly(new VersionSpan(0, mask.length));
                assertThat(sample.reward()).as("the function's own").isEqualTo(0.25);
            });
            assertThat(group.verdict()).isEqualTo(new Verdict(false, "zero_std", false));
        }
    }

    @Test
    void aVersionThatNoEngineHoldsIsToldToTheFunctionAndItsSampleFailsWithThat(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService(Map.of("SLUICE_ROLLOUT_REWARD_URLS", url))) {
            // Given
            run.begin();
            run.publishSource();
            run.publishWeights(1);
            run.log.await(run.runId, WeightsLoaded.class, loaded -> loaded.version() == 1, Scenario.START);
            // When
            GroupRequested gone = publish(run, kafka, 0, 0, "{}");
            GroupRequested fine = publish(run, kafka, 1, 1, "{}");
            // Then
            assertThat(run.abandoned(gone).reason())
                    .contains("answered 409", "the request needs exactly weight version 0; engines hold [1]");
            assertThat(run.sampled(fine).samples())
                    .allSatisfy(sample -> assertThat(sample.oldestVersion()).isEqualTo(1));
        }
    }

    private static GroupRequested publish(
            Scenario run, KafkaBroker kafka, long cursor, @Nullable Integer exact, String metadata) {
        GroupRequested task = new GroupRequested(
                run.runId,
                1,
                run.runId + "/" + cursor,
                cursor,
                0,
                1,
                run.instanceId,
                Prompt.of("12+34="),
                "46",
                "exact",
                Scenario.SAMPLES,
                new Sampling(1, 1, -1, 2 * TURN + 1, 42 + cursor),
                exact == null ? 0 : exact,
                exact,
                Instant.now().plusSeconds(60),
                PartialRollout.RESTART,
                List.of(),
                metadata,
                null,
                null,
                new Hooks(url + "/generate", url + "/dynamic-filter", 30));
        kafka.publish(task);
        return task;
    }

    private static ProcessBuilder python(String... arguments) {
        List<String> command = new java.util.ArrayList<>(List.of("python3"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(HOOKS.toFile());
        builder.environment().put("PYTHONPATH", HOOKS + File.pathSeparator + HOOKS.resolve("tests/fixtures"));
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        return builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    }

    private static boolean hasPython() throws InterruptedException {
        try {
            return python("-c", RECENT_ENOUGH).start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
