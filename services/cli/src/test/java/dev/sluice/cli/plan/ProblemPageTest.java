package dev.sluice.cli.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Problem;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProblemPageTest {
    private static final Problem SLOTS = Problem.error(
            "S06",
            "rollout.redundantExperts",
            "64 expert slots (64 experts + 0 redundant) do not divide over 24 expert-parallel ranks",
            "set rollout.redundantExperts to 8 (72 slots, 3 a GPU)");
    private static final Problem GRAPHS = Problem.warning(
            "S22", "rollout.layout.cudaGraphMaxBatch", "batches of 32 run without a graph", "set it to 32");
    private static final Problem DOCUMENT =
            new Problem("request.document", Problem.Severity.ERROR, "", "the request is a list", null);

    @Test
    void errorsStandBeforeWarningsEachWithPlaceRuleNumbersAndMend() {
        assertThat(new ProblemPage(List.of(GRAPHS, SLOTS, DOCUMENT), 60).text()).isEqualTo("""
                Errors ─────────────────────────────────────────────────────
                  rollout.redundantExperts (S06)
                      64 expert slots (64 experts + 0 redundant) do not
                      divide over 24 expert-parallel ranks
                    → set rollout.redundantExperts to 8 (72 slots, 3 a GPU)
                  request.document
                      the request is a list

                Warnings ───────────────────────────────────────────────────
                  rollout.layout.cudaGraphMaxBatch (S22)
                      batches of 32 run without a graph
                    → set it to 32

                the request is rejected: 2 errors and 1 warning; nothing was
                started""");
    }

    @Test
    void warningsAloneRejectNothing() {
        assertThat(new ProblemPage(List.of(GRAPHS), 100).text())
                .startsWith("Warnings ──")
                .endsWith("\n\n1 warning");
    }

    @Test
    void noProblemIsSaidSo() {
        assertThat(new ProblemPage(List.of(), 100).text()).isEqualTo("no problem was found");
    }
}
