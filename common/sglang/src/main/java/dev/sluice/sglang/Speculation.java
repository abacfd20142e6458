package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Counts of speculative decoding of one request. SGLang renamed the fields in 0.5.12 and clients read either; every name is
 * written and any is read.
 *
 * @param acceptedDrafts drafted tokens that the target model accepted, without the one it adds itself
 * @param proposedDrafts drafted tokens: verifications x drafts each
 * @param acceptRate acceptedDrafts / proposedDrafts
 * @param acceptLength completion tokens / verifications; slightly more than accepted drafts + 1, because the first token needs
 *     no verification
 * @param verifyCount forward passes of the target model that verified drafts
 * @param acceptedHistogram entry k: verifications that accepted k drafts; treat as immutable
 */
public record Speculation(
        @JsonProperty("spec_num_correct_drafts") int acceptedDrafts,
        @JsonProperty("spec_num_proposed_drafts") int proposedDrafts,
        @JsonProperty("spec_accept_rate") double acceptRate,
        @JsonProperty("spec_accept_length") double acceptLength,
        @JsonProperty("spec_verify_ct") int verifyCount,
        @JsonProperty("spec_correct_drafts_histogram") List<Integer> acceptedHistogram) {

    public Speculation {
        acceptedHistogram = List.copyOf(acceptedHistogram);
    }

    @JsonCreator
    static Speculation of(
            @JsonProperty("spec_num_correct_drafts") @Nullable Integer accepted,
            @JsonProperty("spec_accept_token_num") @Nullable Integer acceptedBefore0512,
            @JsonProperty("spec_num_proposed_drafts") @Nullable Integer proposed,
            @JsonProperty("spec_draft_token_num") @Nullable Integer proposedBefore0512,
            @JsonProperty("spec_accept_rate") double acceptRate,
            @JsonProperty("spec_accept_length") double acceptLength,
            @JsonProperty("spec_verify_ct") int verifyCount,
            @JsonProperty("spec_correct_drafts_histogram") @Nullable List<Integer> histogram,
            @JsonProperty("spec_accept_histogram") @Nullable List<Integer> histogramBefore0512) {
        return new Speculation(
                either(accepted, acceptedBefore0512, 0),
                either(proposed, proposedBefore0512, 0),
                acceptRate,
                acceptLength,
                verifyCount,
                either(histogram, histogramBefore0512, List.of()));
    }

    @JsonProperty("spec_accepted_drafts")
    int acceptedDraftsAlias() {
        return acceptedDrafts;
    }

    @JsonProperty("spec_accept_token_num")
    int acceptedDraftsBefore0512() {
        return acceptedDrafts;
    }

    @JsonProperty("spec_proposed_drafts")
    int proposedDraftsAlias() {
        return proposedDrafts;
    }

    @JsonProperty("spec_draft_token_num")
    int proposedDraftsBefore0512() {
        return proposedDrafts;
    }

    @JsonProperty("spec_accept_histogram")
    List<Integer> acceptedHistogramBefore0512() {
        return acceptedHistogram;
    }

    private static <T> T either(@Nullable T newer, @Nullable T older, T otherwise) {
        return newer != null ? newer : older != null ? older : otherwise;
    }
}
