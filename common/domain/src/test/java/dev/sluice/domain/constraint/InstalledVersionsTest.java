package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.qwen3Next;
import static dev.sluice.domain.constraint.Candidates.qwen3_30b;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Version;
import dev.sluice.events.Problem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rules whose answer depends on what is installed. Expected answers were read in the releases named. */
class InstalledVersionsTest {

    @ParameterizedTest
    @CsvSource({
        "Glm4MoeLiteForCausalLM, 0.5.12, false",
        "Glm4MoeLiteForCausalLM, 0.5.12.post1, false",
        "Glm4MoeLiteForCausalLM, 0.5.12.post1+slime, true",
        "Glm4MoeLiteForCausalLM, 0.5.9+slime, false",
        "Glm4MoeLiteForCausalLM, 0.5.13, true",
        "Glm4MoeForCausalLM, 0.4.9, false",
        "Glm4MoeForCausalLM, 0.5.3, true",
        "DeepseekV3ForCausalLM, 0.4.9, true",
        "MiMoForCausalLM, 0.4.9, true",
        "Qwen3NextForCausalLM, 0.5.3, true",
        "Qwen3_5MoeForConditionalGeneration, 0.5.8, false",
        "Qwen3_5MoeForConditionalGeneration, 0.5.9, true"
    })
    void sglangDraftsWithTheMtpLayerOfAnArchitectureFromARelease(String architecture, String sglang, boolean drafts) {
        assertThat(EagleSupport.of(architecture).in(new Version(sglang))).isEqualTo(drafts);
    }

    @Test
    void anOlderSglangIsToldWhichReleaseDrafts() {
        Candidate candidate = glm().sglangVersion("0.5.12").build();

        Problem problem = Constraints.broken(candidate).getFirst();

        assertThat(problem.rule()).isEqualTo("S20");
        assertThat(problem.message())
                .isEqualTo("SGLang drafts with the MTP layer of Glm4MoeLiteForCausalLM from 0.5.13 on, and"
                        + " versions.sglang is 0.5.12");
        assertThat(problem.mend()).startsWith("install SGLang 0.5.13, or set rollout.speculation.algorithm to none");
    }

    @Test
    void aDraftModelOfItsOwnNeedsNoMtpLayer() {
        Candidate candidate = draft(qwen3_30b())
                .engine(engine -> engine.speculation = new Speculation("EAGLE3", 3, 1, 4, "/models/draft"))
                .build();

        assertThat(Constraints.broken(candidate)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "slime@2026-03-10, glm4_moe_lite, false",
        "slime@2026-03-11, glm4_moe_lite, true",
        "slime@2026-03-10, deepseek_v3, false",
        "slime@2026-03-11, deepseek_v3, true",
        "slime@2025-07-01, mimo, true",
        "slime@2025-07-01, glm4_moe, true",
        "slime@2026-02-01, qwen3_next, true",
        "slime@2026-08-21, qwen3, false",
        "sluice@0.1, glm4_moe_lite, true",
        "sluice@0.1, deepseek_v3, true",
        "sluice@0.1, qwen3_next, false"
    })
    void aTrainerTrainsTheMtpLayerOfAFamilyFromADay(String trainer, String family, boolean trains) {
        assertThat(TrainerCapabilities.of(trainer).trainsMtp(family, trainer)).isEqualTo(trains);
    }

    @Test
    void anUnknownTrainerIsSaidToBeUnknownOnce() {
        Candidate candidate = glm().trainer("verl@0.5").build();

        assertThat(Constraints.broken(candidate))
                .extracting(Problem::rule, Problem::message)
                .containsExactly(tuple("C01", "nothing is known of the trainer verl@0.5"));
    }

    @ParameterizedTest
    @CsvSource({"0.5.9, S32", "0.5.13, S32", "0.5.14, ''"})
    void beforeSglangChoosesExtraBuffersItselfAScriptAsksForThem(String sglang, String broken) {
        Candidate candidate =
                Candidates.asScript(draft(qwen3Next())).sglangVersion(sglang).build();

        assertThat(rules(candidate)).isEqualTo(broken);
    }

    @ParameterizedTest
    @CsvSource({"0.5.12, S12", "0.5.13, ''"})
    void denseBlocksOverAllOfTpCameWithARelease(String sglang, String broken) {
        Candidate candidate = plain().engine(engine -> engine.denseTp = 8)
                .sglangVersion(sglang)
                .build();

        assertThat(rules(candidate)).isEqualTo(broken);
    }

    @ParameterizedTest
    @CsvSource({"0.5.14, S27", "0.5.15.post1, ''"})
    void overlapOfTwoBatchesWithoutAllToAllCameWithARelease(String sglang, String broken) {
        Candidate candidate = plain().engine(engine -> engine.flag("--enable-two-batch-overlap"))
                .sglangVersion(sglang)
                .build();

        assertThat(rules(candidate)).isEqualTo(broken);
    }

    @ParameterizedTest
    @CsvSource({"0.5.18, S26", "0.5.23, ''"})
    void loraBesideEagleCameWithARelease(String sglang, String broken) {
        Candidate candidate = glm().engine(engine -> engine.flag("--lora-paths", "/adapters/maths"))
                .sglangVersion(sglang)
                .build();

        assertThat(rules(candidate)).isEqualTo(broken);
    }

    private static CandidateDraft plain() {
        return glm().engine(engine -> engine.speculation = Speculation.OFF);
    }

    private static String rules(Candidate candidate) {
        return String.join(
                " ", Constraints.broken(candidate).stream().map(Problem::rule).toList());
    }
}
