package dev.sluice.domain.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.cost.TrainingTime;
import dev.sluice.domain.memory.TrainingMemory;
import dev.sluice.domain.model.PublishedModels;
import dev.sluice.domain.recipes.Recipe;
import dev.sluice.domain.request.Requests;
import dev.sluice.domain.search.Search.Outcome;
import dev.sluice.events.Plan.Rejection;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SearchTest {

    /** slime's run-glm4.7-30B-A3B-8gpus.sh: TP1 PP1 CP1 EP8 ETP1, 8,192 tokens a GPU, full recomputation, CPU Adam. */
    @Test
    void findsTheReferenceRecipesOwnLayoutOnOneNode() {
        Way way = best(GpuRequests.glm47Flash());

        assertThat(way.training().layout()).isEqualTo(new Layout(1, 1, 1, 8, 1, null, null));
        assertThat(way.training().side().tokensPerGpu()).isEqualTo(8192);
        assertThat(way.training().side().recompute()).isEqualTo(Recompute.FULL);
        assertThat(way.training().side().optimizer()).isEqualTo(Optimizer.CPU);
        assertThat(way.training().memory().gib()).isCloseTo(48.8, within(0.05));
        assertThat(way.candidate().engine().gpus()).isEqualTo(8);
        assertThat(way.candidate().engine().dp()).isEqualTo(8);
        assertThat(way.candidate().engine().memFractionStatic()).isEqualTo(0.7);
        assertThat(way.engine().memory().cacheTokens()).isEqualTo(824_456);
    }

    /** The recipe's own way on two nodes: TP4 PP2 CP2 EP8, last stage 23, 32,768 tokens a GPU, no CPU Adam. */
    @Test
    void findsALayoutOnTwoNodesThatIsPredictedFasterThanTheRecipes() {
        ObjectNode request = GpuRequests.with("cluster.trainNodes", "2");
        GpuRequests.set(request, "cluster.rolloutNodes", "2");
        GpuRequests.set(request, "rollout.groupsPerStep", "128");
        GpuRequests.set(request, "rollout.maxResponseTokens", "32768");

        Way way = best(request);
        Candidate recipe = way.candidate()
                .with(way.training()
                        .side()
                        .with(new Layout(4, 2, 2, 8, 1, null, 23), 32_768, Recompute.FULL, Optimizer.GPU));

        assertThat(way.training().side().optimizer().offloadFraction()).isZero();
        assertThat(way.training().time().seconds())
                .isLessThan(TrainingTime.of(recipe, TrainingMemory.of(recipe)).seconds());
    }

    @Test
    void tellsTheRuleThatRejectsEachFamily() {
        List<Rejection> rejections = outcome(GpuRequests.glm47Flash()).rejections();

        assertThat(rejections).anySatisfy(rejection -> {
            assertThat(rejection.family()).isEqualTo("TP 8");
            assertThat(rejection.rule()).isEqualTo("M03");
            assertThat(rejection.message()).contains("20 attention heads");
        });
        assertThat(rejections).anySatisfy(rejection -> {
            assertThat(rejection.family()).isEqualTo("attention TP 8");
            assertThat(rejection.rule()).isEqualTo("S04");
        });
        assertThat(rejections).anySatisfy(rejection -> {
            assertThat(rejection.family()).isEqualTo("PP1 EP2");
            assertThat(rejection.rule()).isEqualTo("H01");
        });
    }

    @Test
    void judgesALayoutThatIsGivenWhole() {
        ObjectNode request = GpuRequests.with("training.layout", "{\"tp\": 2, \"pp\": 2, \"cp\": 2, \"ep\": 8}");

        Outcome outcome = outcome(request);

        assertThat(outcome.best()).isNull();
        assertThat(outcome.problems()).extracting(Problem::rule).contains("M02", "M08");
        assertThat(outcome.problems())
                .filteredOn(problem -> problem.rule().equals("M08"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.mend()).contains("23"));
    }

    /** The 24-GPU example of the recipe page: 80 slots over 24 ranks, 20 heads over 8, and no all-to-all backend. */
    @Test
    void judgesAnEngineThatIsGivenWhole() {
        ObjectNode request = GpuRequests.with("cluster.placement", "\"disaggregated\"");
        GpuRequests.set(request, "cluster.rolloutNodes", "3");
        GpuRequests.set(request, "rollout.redundantExperts", "16");
        GpuRequests.set(
                request, "rollout.layout", "{\"gpusPerEngine\": 24, \"dp\": 3, \"ep\": 24, \"a2aBackend\": \"none\"}");

        Outcome outcome = outcome(request);

        assertThat(outcome.problems()).extracting(Problem::rule).contains("S04", "S06", "S10");
    }

    @Test
    void saysWhatWouldFitWhereNothingDoes() {
        ObjectNode request = GpuRequests.with("model.path", "\"/data/DeepSeek-V3\"");

        Outcome outcome = outcome(request);

        assertThat(outcome.best()).isNull();
        assertThat(outcome.problems())
                .filteredOn(problem -> problem.rule().equals("H01"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.mend()).contains("training nodes"));
    }

    @Test
    void takesPartOfAdamToTheHostWhereAllOfItDoesNotFitThere() {
        // All of Adam takes 558 GiB of a host beside 233 GiB for the rest.
        Way way = best(GpuRequests.with("cluster.hostMemoryGiB", "600"));

        assertThat(way.training().host().gib()).isLessThan(600);
        assertThat(way.training().side().optimizer().offloadFraction()).isLessThan(1);
    }

    @Test
    void choosesThePoolsWhereThePlacementIsOpen() {
        Outcome outcome = outcome(GpuRequests.with("cluster.placement", "\"auto\""));

        assertThat(outcome.pools()).isNotEmpty();
        assertThat(outcome.best().time().seconds())
                .isLessThanOrEqualTo(outcome.pools().getFirst().time().seconds());
    }

    @Test
    void doesNotDraftWhereDraftsAreNotAccepted() {
        ObjectNode request = GpuRequests.with("rollout.speculation", "{\"algorithm\": \"auto\", \"acceptance\": 0.05}");

        assertThat(best(request).candidate().engine().speculation().on()).isFalse();
        GpuRequests.set(request, "rollout.speculation.acceptance", "0.8");
        assertThat(best(request).candidate().engine().speculation().on()).isTrue();
    }

    static List<Recipe> published() {
        return Recipe.all().stream()
                .filter(recipe -> recipe.text("verdict_h100_80").equals("ok"))
                .filter(recipe -> recipe.has("est_train_gib"))
                .toList();
    }

    /** slime's hand-tuned layouts are among those searched, so that none of them is predicted faster than the best. */
    @ParameterizedTest
    @MethodSource("published")
    void nothingThatSlimePublishedIsPredictedFasterThanTheBest(Recipe recipe) {
        Candidate own = recipe.candidate(Gpu.H100_80);
        double published = TrainingTime.of(own, TrainingMemory.of(own)).seconds();

        double fastest = TrainingSearch.run(
                        own,
                        dev.sluice.domain.memory.LayerSums.of(own.model()),
                        Requests.complete(Requests.least()).training())
                .sized()
                .stream()
                .mapToDouble(sized -> sized.time().seconds())
                .min()
                .orElseThrow();

        assertThat(fastest).isLessThanOrEqualTo(published * 1.001);
    }

    private static Way best(ObjectNode request) {
        return Objects.requireNonNull(outcome(request).best());
    }

    private static Outcome outcome(ObjectNode document) {
        TrainingRequest request = GpuRequests.complete(document);
        List<Cluster> clusters = PoolSplits.of(request, Gpu.H100_80);
        Candidate base = BaseCandidate.of(
                request,
                PublishedModels.named(request.model().path()).orElseThrow(),
                clusters.getFirst(),
                Flags.NONE,
                0);
        return Search.run(base, clusters, request, Flags.NONE, 2);
    }
}
