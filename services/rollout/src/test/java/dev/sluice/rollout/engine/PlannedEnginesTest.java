package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.sluice.domain.arguments.EnvironmentNames;
import dev.sluice.domain.plan.PlanDesk;
import dev.sluice.domain.plan.Verdict;
import dev.sluice.domain.request.Facts;
import dev.sluice.domain.request.Facts.Purpose;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.events.Plan;
import dev.sluice.events.TrainingRequest;
import dev.sluice.rollout.assignment.Share.Node;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the planner says of the requests in deploy/recipes, as an instance would start it. */
class PlannedEnginesTest {
    private static final Path RECIPES = Path.of(System.getProperty("sluice.root"), "deploy/recipes");
    private static final List<String> PROGRAM = List.of("python3", "-m", "sglang.launch_server");
    private static final String MEETING = "10.0.0.6:20002";

    static List<Path> recipes() throws IOException {
        try (Stream<Path> files = Files.list(RECIPES)) {
            return files.filter(file -> file.toString().endsWith(".yaml"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void everyNodeOfEveryPlannedEngineCanBeStarted(Path recipe) throws IOException {
        Plan.RolloutPlan rollout = plan(recipe).rollout();
        int nodes = rollout.nodesPerEngine();

        for (int rank = 0; rank < nodes; rank++) {
            Node node = nodes == 1 ? null : new Node(1, "rollout-1", rank, nodes, MEETING);
            List<String> line = EngineCommand.of(rollout.args(), path -> Optional.empty())
                    .line(PROGRAM, "/m", "127.0.0.1", 20_000, node);

            assertThat(line).startsWith(PROGRAM.toArray(String[]::new));
            if (nodes > 1) {
                assertThat(line).containsSequence("--node-rank", Integer.toString(rank), "--dist-init-addr", MEETING);
            }
        }
        assertThat(EnvironmentNames.problems(rollout.environment())).isEmpty();
        rollout.fallbacks()
                .forEach(fallback -> assertThat(EngineCommand.of(fallback.args(), path -> Optional.empty())
                                .nodes())
                        .isEqualTo(nodes));
    }

    @Test
    void oneOfThemSpansThreeNodesOfEightGpus() throws IOException {
        Plan.RolloutPlan rollout =
                plan(RECIPES.resolve("glm-4.7-flash-24gpu-rollout.yaml")).rollout();

        assertThat(rollout.nodesPerEngine()).isEqualTo(3);
        assertThat(rollout.gpusPerEngine()).isEqualTo(24);
    }

    private static Plan plan(Path recipe) throws IOException {
        JsonNode request = new YAMLMapper().readTree(recipe.toFile());
        return switch (PlanDesk.check(RequestReader.read(request), PlannedEnginesTest::elsewhere)) {
            case Verdict.Feasible feasible -> feasible.plan();
            case Verdict.Infeasible infeasible -> throw new AssertionError(recipe + ": " + infeasible.problems());
        };
    }

    /** The recipes' files lie on the machines that they are for. */
    private static Facts elsewhere(TrainingRequest request) {
        String path = request.model().path();
        return new Facts(Facts.Model.notHere(path, path + " is not here"), null, Map.of(), 0, Purpose.PLAN);
    }
}
