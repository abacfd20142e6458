package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.glmApart;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.events.Problem;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The recipe page's engine of 24 GPUs, which was written for 128 experts and 32 heads and cannot start with 64 and 20. */
class SingleEngineOf24GpusTest {
    private static final Consumer<EngineDraft> AS_WRITTEN = engine -> {
        engine.groups(3);
        engine.redundant = 16;
    };

    @Test
    void itsHeadsItsSlotsAndItsIdleExpertsAreAllToldAtOnceWithTheirMends() {
        List<Problem> problems =
                Constraints.broken(glmApart(24).engine(AS_WRITTEN).build());

        assertThat(problems).extracting(Problem::rule).containsExactly("S04", "S06", "S10");
        assertThat(problems)
                .extracting(Problem::message)
                .containsExactly(
                        "20 attention heads cannot be split over attention TP 8 (24 GPUs / dp 3)",
                        "80 expert slots (64 experts + 16 redundant) do not divide over 24 expert-parallel ranks",
                        "the 16 redundant experts would never get a token: neither all-to-all backend nor dispatch"
                                + " algorithm is set");
        assertThat(problems)
                .extracting(Problem::mend)
                .containsExactly(
                        "set rollout.layout.dp to 24, 12 or 6 [--dp-size --enable-dp-attention]",
                        "set rollout.redundantExperts to 8 (72 slots, 3 per GPU) [--ep-num-redundant-experts], or use 3"
                                + " engines of 8 GPUs, which need none: set rollout.layout.gpusPerEngine to 8",
                        "set rollout.layout.a2aBackend to deepep and rollout.sglang.ep-dispatch-algorithm to dynamic"
                                + " [--moe-a2a-backend deepep --ep-dispatch-algorithm dynamic, or --enable-eplb], or use 3"
                                + " engines of 8 GPUs, which need none: set rollout.layout.gpusPerEngine to 8");
    }

    @Test
    void withItsMendsItBreaksNothing() {
        Candidate mended = glmApart(24)
                .engine(AS_WRITTEN.andThen(engine -> {
                    engine.groups(12);
                    engine.redundant = 8;
                    engine.a2a = "deepep";
                    engine.dispatch = "dynamic";
                }))
                .build();

        assertThat(Constraints.broken(mended)).isEmpty();
    }

    @Test
    void threeEnginesOfEightGpusNeedNoRedundantExperts() {
        Candidate three = glmApart(24)
                .engine(engine -> {
                    engine.gpus = 8;
                    engine.ep = 8;
                    engine.groups(8);
                })
                .build();

        assertThat(Constraints.broken(three)).isEmpty();
        assertThat(three.engines()).isEqualTo(3);
    }

    @Test
    void withoutRedundantExpertsItIsToldHowManyItNeeds() {
        Problem problem = Constraints.broken(glmApart(24).build()).getFirst();

        assertThat(problem.message())
                .isEqualTo("64 expert slots (64 experts + 0 redundant) do not divide over 24 expert-parallel ranks");
        assertThat(problem.mend()).startsWith("set rollout.redundantExperts to 8 (72 slots, 3 per GPU)");
    }

    @Test
    void anAllToAllBackendIsJudgedByTheExpertParallelSizeItForces() {
        Candidate candidate = glmApart(24)
                .engine(engine -> {
                    engine.ep = 8;
                    engine.a2a = "deepep";
                })
                .build();

        assertThat(Constraints.broken(candidate)).extracting(Problem::rule).containsExactly("S06", "S09");
    }
}
