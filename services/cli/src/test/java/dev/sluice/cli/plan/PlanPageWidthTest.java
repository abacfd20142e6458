package dev.sluice.cli.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.Plan.Alternative;
import dev.sluice.events.Plan.Choice;
import dev.sluice.events.Plan.EngineLayout;
import dev.sluice.events.Plan.Fallback;
import dev.sluice.events.Plan.Memory;
import dev.sluice.events.Plan.ModelFigures;
import dev.sluice.events.Plan.Part;
import dev.sluice.events.Plan.Prediction;
import dev.sluice.events.Plan.Rejection;
import dev.sluice.events.Plan.RolloutPlan;
import dev.sluice.events.Plan.Stage;
import dev.sluice.events.Plan.TrainingLayout;
import dev.sluice.events.Plan.TrainingPlan;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Plans of any size and with any words keep within the terminal. Seeds are in the tests' names. */
class PlanPageWidthTest {
    static Stream<Long> seeds() {
        return Stream.iterate(1L, seed -> seed + 1).limit(200);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void noLineOfAPlanIsWiderThanTheTerminal(long seed) {
        Random random = new Random(seed);
        int columns = 60 + random.nextInt(80);
        Plan plan = plan(random);
        String placement = random.nextBoolean() ? "colocated" : "disaggregated";
        TrainingRequest request = ExamplePlans.request(
                "cluster: {placement: %s, gpu: H100-80, gpusPerNode: %d}".formatted(placement, 1 + random.nextInt(64)));

        PlanPage page = new PlanPage(request, plan, columns);

        assertThat(widerThan(columns, page.text())).isEmpty();
        assertThat(widerThan(columns, page.commands())).isEmpty();
        assertThat(page.text()).doesNotContain("null", "NaN", "Infinity");
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void noLineOfProblemsIsWiderThanTheTerminal(long seed) {
        Random random = new Random(seed);
        int columns = 60 + random.nextInt(80);

        String text = new ProblemPage(some(random, 9, () -> problem(random)), columns).text();

        assertThat(widerThan(columns, text)).isEmpty();
    }

    private static List<String> widerThan(int columns, String text) {
        return text.lines().filter(line -> line.length() > columns).toList();
    }

    private static Plan plan(Random random) {
        int tp = power(random, 4);
        int pp = power(random, 6);
        int cp = power(random, 4);
        int dp = power(random, 4);
        int gpus = tp * pp * cp * dp;
        int ep = power(random, Integer.numberOfTrailingZeros(gpus / pp));
        List<Stage> stages = Stream.generate(() -> new Stage(random.nextInt(20), random.nextDouble(100)))
                .limit(pp)
                .toList();
        Memory memory = new Memory(random.nextDouble(90), random.nextDouble(2000), 74.4, parts(random), parts(random));
        TrainingPlan training = new TrainingPlan(
                new TrainingLayout(tp, pp, cp, ep, 1, dp),
                flags(random),
                memory,
                random.nextBoolean(),
                gpus,
                8192,
                stages,
                Map.of("NAME", "value"));
        double seconds = random.nextDouble(2000);
        return new Plan(
                Backend.GPU,
                new ModelFigures(
                        words(random, 1),
                        random.nextLong(1L << 41),
                        random.nextLong(1L << 36),
                        random.nextLong(1L << 34),
                        1 << 20),
                training,
                rollout(random),
                new Prediction(seconds, 0.7 * seconds, 1.3 * seconds, random.nextLong(1L << 33), parts(random)),
                some(
                        random,
                        12,
                        () -> new Choice(
                                words(random, 1),
                                words(random, 3),
                                words(random, 20),
                                random.nextBoolean() ? null : words(random, 9))),
                some(random, 4, () -> problem(random)),
                some(
                        random,
                        5,
                        () -> new Alternative(
                                words(random, 6), random.nextDouble(999), random.nextDouble(80), words(random, 15))),
                some(
                        random,
                        40,
                        () -> new Rejection(
                                words(random, 3), words(random, 1), words(random, 25), random.nextInt(999))),
                random.nextBoolean() ? TrainingRequest.Placement.COLOCATED : TrainingRequest.Placement.DISAGGREGATED,
                TrainingRequest.Transport.values()[random.nextInt(TrainingRequest.Transport.values().length)]);
    }

    private static RolloutPlan rollout(Random random) {
        int tp = power(random, 6);
        EngineLayout layout = new EngineLayout(
                tp,
                power(random, Integer.numberOfTrailingZeros(tp)),
                power(random, Integer.numberOfTrailingZeros(tp)),
                random.nextInt(9));
        return new RolloutPlan(
                random.nextInt(40),
                layout,
                flags(random),
                1 + random.nextLong(1L << 40),
                1 + random.nextInt(4096),
                tp * power(random, 2),
                parts(random),
                Map.of(),
                some(random, 5, () -> new Fallback(words(random, 20), List.of())));
    }

    private static Problem problem(Random random) {
        String path = random.nextBoolean() ? "" : words(random, 1);
        String mend = words(random, 12);
        return random.nextBoolean()
                ? Problem.error(words(random, 1), path, words(random, 40), mend)
                : Problem.warning(words(random, 1), path, words(random, 40), mend);
    }

    private static List<Part> parts(Random random) {
        return some(random, 10, () -> new Part(words(random, 3), random.nextDouble(60)));
    }

    private static List<String> flags(Random random) {
        return some(random, 30, () -> "--" + "flag".repeat(1 + random.nextInt(5)));
    }

    private static int power(Random random, int most) {
        return 1 << random.nextInt(most + 1);
    }

    private static <T> List<T> some(Random random, int most, Supplier<T> one) {
        return Stream.generate(one).limit(random.nextInt(most + 1)).toList();
    }

    /** At least one word; some are longer than any terminal is wide. */
    private static String words(Random random, int most) {
        return Stream.generate(() ->
                        "abcdefghij".repeat(20).substring(0, 1 + random.nextInt(random.nextInt(9) == 0 ? 150 : 12)))
                .limit(1 + random.nextInt(most))
                .collect(Collectors.joining(" "));
    }
}
