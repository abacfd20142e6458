package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.cli.KilledRun.Victim;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.kafka.KafkaConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A run on the packaged services, killed at random moments. {@code -Dsluice.kills=20 -Dsluice.seed=...} for more of them, or
 * for those of before.
 */
class KilledRunIT {
    private static final int STEPS = 30;
    private static final int KILLS = Integer.getInteger("sluice.kills", 4);
    private static final int MAX_POLICY_LAG = 1;
    private static final long SLOWEST_MOMENT_NANOS = Duration.ofMillis(1500).toNanos();
    private static final Duration DEADLINE = Duration.ofMinutes(8);
    /** An engine's 128 samples of at most 8 tokens; of these a killed one has journalled what nobody has reported. */
    private static final long TOKENS_IN_FLIGHT = 128 * 8;

    private static final String RUN = "killed";

    @TempDir
    private Path directory;

    @Test
    void aRunThatIsKilledAtRandomMomentsHasTheWeightsOfItsLogAtEveryStep() throws Exception {
        long seed = Long.getLong("sluice.seed", System.nanoTime());
        System.out.printf("seed %d, %d kills%n", seed, KILLS);
        // A long run's log is trimmed once ten thousand records are of no use; this one keeps all of it.
        try (UpProcess up = UpProcess.start(directory, 2, Map.of());
                RunDiary diary = new RunDiary(new KafkaConnection(up.bootstrapServers(), "killed-run-test"), RUN)) {
            Path request = Path.of(System.getProperty("sluice.root"), "deploy/examples/tiny/request.yaml");
            UpProcess.Outcome accepted = up.run(
                    request,
                    "--id",
                    RUN,
                    "--set",
                    "training.steps=" + STEPS,
                    "--set",
                    "checkpoints.everySteps=4",
                    "--set",
                    "checkpoints.asynchronous=true");
            assertThat(accepted.exitCode()).as(accepted.output()).isZero();

            List<String> killed = killAtRandomMoments(up, diary, new Random(seed));
            await().atMost(DEADLINE).until(() -> diary.look(RunDiary::outcome).isPresent());

            Optional<String> outcome = diary.look(RunDiary::outcome);
            assertThat(outcome).as("kills %s", killed).contains("succeeded");
            List<Integer> steps = diary.look(RunDiary::steps);
            assertThat(steps)
                    .containsExactlyElementsOf(
                            IntStream.rangeClosed(1, STEPS).boxed().toList());
            List<String> findings = diary.look(it -> it.findings(MAX_POLICY_LAG));
            assertThat(findings).isEmpty();
            List<GroupRequested> again = diary.look(RunDiary::askedAgainAlthoughFinished);
            assertThat(again).isEmpty();
            long reported = diary.look(RunDiary::tokensReported);
            System.out.printf("tokens generated %d, reported %d%n", tokensInEngineJournals(), reported);
            assertThat(tokensInEngineJournals() - reported)
                    .as("tokens that died with engines and instances before they were reported")
                    .isBetween(0L, KILLS * TOKENS_IN_FLIGHT);
            assertThat(replayOfEveryStep(up)).isEqualTo(STEPS);
        }
    }

    private List<String> killAtRandomMoments(UpProcess up, RunDiary diary, Random random) throws Exception {
        KilledRun run = new KilledRun(up, directory.resolve("work/data/runs").resolve(RUN), random);
        List<String> killed = new ArrayList<>();
        int last = 0;
        for (Victim victim : run.order(KILLS)) {
            int from = Math.max(last + 1, STEPS * killed.size() / (KILLS + 1));
            await().atMost(DEADLINE).until(() -> diary.look(RunDiary::stepsTrained) >= from);
            LockSupport.parkNanos(random.nextLong(SLOWEST_MOMENT_NANOS));
            int trainers = diary.look(it -> it.trainers().size());
            int retrained = stepsTrainedAgain();
            await().atMost(DEADLINE).until(() -> run.kill(victim));
            last = diary.look(RunDiary::stepsTrained);
            killed.add(victim + " after step " + last);
            if (victim == Victim.TRAINER) {
                await().atMost(DEADLINE)
                        .until(() -> diary.look(it -> it.trainers().size()) > trainers);
                String how = diary.look(it -> it.trainers().get(trainers));
                assertThat(how).isEqualTo("attached to a living worker");
                assertThat(stepsTrainedAgain())
                        .as("steps trained again after %s", killed)
                        .isEqualTo(retrained);
            }
            if (last >= STEPS - 1) {
                break;
            }
        }
        System.out.printf("killed %d: %s%n", killed.size(), killed);
        return killed;
    }

    private int stepsTrainedAgain() throws Exception {
        try (Stream<String> lines = Files.lines(directory.resolve("work/logs/trainer-1.log"))) {
            return (int) lines.filter(line -> line.contains("trained again from the log"))
                    .count();
        }
    }

    private long replayOfEveryStep(UpProcess up) throws Exception {
        UpProcess.Outcome replay = up.command("replay", RUN, "--from", "0", "--json");
        assertThat(replay.exitCode()).as(replay.output()).isZero();
        // What is said on the way stands before the document.
        JsonNode json = new ObjectMapper()
                .readTree(replay.output().substring(replay.output().indexOf("\n{") + 1));
        return json.path("same").asLong();
    }

    private long tokensInEngineJournals() throws Exception {
        return EngineJournals.tokens(directory.resolve("work/data/runs"));
    }
}
