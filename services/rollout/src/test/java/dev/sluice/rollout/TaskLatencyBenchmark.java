package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * How long tasks wait from publication to the engine's queue when a slot is free. Its name keeps it out of the build:
 * {@code ./mvnw verify -pl services/rollout,services/cpu-backend -am -Dtest=NoSuch -Dit.test=TaskLatencyBenchmark
 * -Dsurefire.failIfNoSpecifiedTests=false -Dfailsafe.failIfNoSpecifiedTests=false}, after the services are packaged.
 */
@ExtendWith(KafkaBroker.class)
class TaskLatencyBenchmark {
    private static final int ROUNDS = Integer.getInteger("rounds", 5);
    private static final int TASKS = Integer.getInteger("tasks", 200);
    private static final int LONGEST_GAP_MILLIS = 50;
    private static final long SEED = 5;
    private static final Pattern TAKEN = Pattern.compile(
            "an engine took a task .*?published=(\\S+) polled=(\\S+) dispatched=(\\S+) received=([^\\s\"]+)");

    @TempDir
    Path folder;

    /** One task's stages, by the clock of this host. */
    private record Stages(Instant published, Instant polled, Instant dispatched, Instant received) {
        static Stages of(MatchResult line) {
            return new Stages(
                    Instant.parse(line.group(1)),
                    Instant.parse(line.group(2)),
                    Instant.parse(line.group(3)),
                    Instant.parse(line.group(4)));
        }
    }

    /** @param lateWakes by how many milliseconds the publishing thread slept too long after each task */
    private record Round(List<Stages> stages, List<Double> lateWakes) {
        List<Double> millis(Function<Stages, Instant> from, Function<Stages, Instant> to) {
            return stages.stream()
                    .map(one -> Duration.between(from.apply(one), to.apply(one)).toNanos() / 1e6)
                    .toList();
        }
    }

    private record Row(String name, Function<Round, List<Double>> millis) {
        static final List<Row> ALL = List.of(
                new Row("publication to poll", round -> round.millis(Stages::published, Stages::polled)),
                new Row("poll to dispatch", round -> round.millis(Stages::polled, Stages::dispatched)),
                new Row("dispatch to queue", round -> round.millis(Stages::dispatched, Stages::received)),
                new Row("all", round -> round.millis(Stages::published, Stages::received)),
                new Row("one late wake", Round::lateWakes));
    }

    @Test
    void everyTaskReachesAnEngineWithAFreeSlot(KafkaBroker kafka) throws Exception {
        Random random = new Random(SEED);
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService(Map.of(
                        "JAVA_TOOL_OPTIONS", "'-Dquarkus.log.category.\"dev.sluice.rollout.task\".level=DEBUG'"));
                EventPublisher publisher = EventPublisher.prompt(kafka.connection("trainer"))) {
            run.begin();
            List<Round> rounds = new ArrayList<>();
            for (int round = 0; round <= ROUNDS; round++) {
                int before = taken().size();
                List<Double> late = new ArrayList<>();
                for (int i = 0; i < TASKS; i++) {
                    GroupRequested task = run.task((long) round * TASKS + i, 0, null, 16, Duration.ofSeconds(60));
                    publisher.publishAndWait(task, null);
                    run.sampled(task);
                    late.add(lateWake(random.nextInt(LONGEST_GAP_MILLIS + 1)));
                }
                List<Stages> all = taken();
                List<Stages> stages = all.subList(before, all.size());
                assertThat(stages).as("tasks that an engine took").hasSize(TASKS);
                rounds.add(new Round(stages, late));
                print(round == 0 ? "warm-up" : "round " + round, List.of(rounds.getLast()));
            }
            print(
                    "median of %d rounds of %d tasks, seed %d".formatted(ROUNDS, TASKS, SEED),
                    rounds.subList(1, rounds.size()));
        }
    }

    /** Sleeps, and returns by how many milliseconds too long: what this machine alone adds wherever a thread wakes another. */
    private static double lateWake(int millis) throws InterruptedException {
        long start = System.nanoTime();
        Thread.sleep(millis);
        return (System.nanoTime() - start) / 1e6 - millis;
    }

    private List<Stages> taken() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("data"))) {
            Path log = files.filter(file -> file.toString().endsWith(".log"))
                    .findFirst()
                    .orElseThrow();
            return TAKEN.matcher(Files.readString(log))
                    .results()
                    .map(Stages::of)
                    .toList();
        }
    }

    private static void print(String title, List<Round> rounds) {
        System.out.printf(
                "%s; load %.1f on %d processors; ms%n",
                title,
                ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
                Runtime.getRuntime().availableProcessors());
        for (Row row : Row.ALL) {
            System.out.printf(
                    "  %-20s median %6.2f  p90 %6.2f  p99 %6.2f%n",
                    row.name, median(rounds, row, 0.5), median(rounds, row, 0.9), median(rounds, row, 0.99));
        }
    }

    /** The median of the rounds' quantiles. */
    private static double median(List<Round> rounds, Row row, double quantile) {
        return quantile(
                rounds.stream()
                        .map(round -> quantile(row.millis.apply(round), quantile))
                        .toList(),
                0.5);
    }

    private static double quantile(List<Double> values, double quantile) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get((int) Math.ceil(quantile * sorted.size()) - 1);
    }
}
