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

    private record Part(String name, Function<Stages, Instant> from, Function<Stages, Instant> to) {
        static final List<Part> ALL = List.of(
                new Part("publication to poll", Stages::published, Stages::polled),
                new Part("poll to dispatch", Stages::polled, Stages::dispatched),
                new Part("dispatch to engine", Stages::dispatched, Stages::received),
                new Part("all", Stages::published, Stages::received));

        double millis(Stages stages) {
            return Duration.between(from.apply(stages), to.apply(stages)).toNanos() / 1e6;
        }
    }

    @Test
    void everyTaskReachesAnEngineWithAFreeSlot(KafkaBroker kafka) throws Exception {
        Random random = new Random(SEED);
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService(Map.of(
                        "JAVA_TOOL_OPTIONS", "'-Dquarkus.log.category.\"dev.sluice.rollout.task\".level=DEBUG'"));
                EventPublisher publisher = EventPublisher.prompt(kafka.connection("trainer"))) {
            run.begin();
            List<List<Stages>> rounds = new ArrayList<>();
            for (int round = 0; round <= ROUNDS; round++) {
                int before = taken().size();
                for (int i = 0; i < TASKS; i++) {
                    GroupRequested task = run.task((long) round * TASKS + i, 0, null, 16, Duration.ofSeconds(60));
                    publisher.publishAndWait(task, null);
                    run.sampled(task);
                    Thread.sleep(random.nextInt(LONGEST_GAP_MILLIS + 1));
                }
                List<Stages> all = taken();
                List<Stages> stages = all.subList(before, all.size());
                assertThat(stages).as("tasks that an engine took").hasSize(TASKS);
                rounds.add(stages);
                print(round == 0 ? "warm-up" : "round " + round, List.of(stages));
            }
            print(
                    "median of %d rounds of %d tasks, seed %d".formatted(ROUNDS, TASKS, SEED),
                    rounds.subList(1, rounds.size()));
        }
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

    private static void print(String title, List<List<Stages>> rounds) {
        System.out.printf(
                "%s; load %.1f on %d processors; ms%n",
                title,
                ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
                Runtime.getRuntime().availableProcessors());
        for (Part part : Part.ALL) {
            System.out.printf(
                    "  %-20s median %6.2f  p90 %6.2f  p99 %6.2f%n",
                    part.name, median(rounds, part, 0.5), median(rounds, part, 0.9), median(rounds, part, 0.99));
        }
    }

    /** The median of the rounds' quantiles. */
    private static double median(List<List<Stages>> rounds, Part part, double quantile) {
        List<Double> quantiles = rounds.stream()
                .map(round -> quantile(round.stream().map(part::millis).toList(), quantile))
                .toList();
        return quantile(quantiles, 0.5);
    }

    private static double quantile(List<Double> values, double quantile) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get((int) Math.ceil(quantile * sorted.size()) - 1);
    }
}
