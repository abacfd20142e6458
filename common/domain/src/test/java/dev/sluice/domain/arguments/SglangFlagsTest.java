package dev.sluice.domain.arguments;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Version;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SglangFlagsTest {
    /** Renames and removals between SGLang 0.4.9 and 0.5.18, read in its tags. */
    @ParameterizedTest
    @CsvSource({
        "--enable-ep-moe, 0.5.4, true",
        "--enable-ep-moe, 0.5.5, false",
        "--enable-deepep-moe, 0.5.5.post1, false",
        "--moe-a2a-backend, 0.5.5, true",
        "--incremental-streaming-output, 0.5.9, false",
        "--incremental-streaming-output, 0.5.10, true",
        "--cuda-graph-max-bs, 0.5.15.post1, true",
        "--cuda-graph-max-bs-decode, 0.5.13, false",
        "--cuda-graph-max-bs-decode, 0.5.14, true",
        "--tensor-parallel-size, 0.5.15.post1, true",
        "--no-such-flag, 0.5.15.post1, false"
    })
    void aReleaseHasAFlagOrNot(String flag, String sglang, boolean known) {
        assertThat(SglangFlags.unknown(Flags.NONE.with(flag, 1), new Version(sglang))
                        .isEmpty())
                .isEqualTo(known);
    }

    @Test
    void unknownFlagsAreToldInTheirOrder() {
        Flags flags = Flags.NONE.with("--zeta").with("--page-size", 1).with("--alpha");

        assertThat(SglangFlags.unknown(flags, new Version("0.5.15.post1"))).containsExactly("--zeta", "--alpha");
    }
}
