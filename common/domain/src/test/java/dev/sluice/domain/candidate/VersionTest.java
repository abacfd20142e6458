package dev.sluice.domain.candidate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class VersionTest {
    /** Releases of SGLang and Megatron-Core in the order in which they came. */
    private static final List<String> RELEASED = List.of(
            "0.4.9",
            "0.4.9.post2",
            "0.5.3",
            "0.5.5.post1",
            "0.5.9",
            "0.5.10",
            "0.5.12",
            "0.5.12.post1+slime",
            "0.5.13",
            "0.16.1",
            "0.19",
            "0.19.1",
            "1.0",
            "10.2.4095");

    @Test
    void releasesStandInTheOrderInWhichTheyCame() {
        List<Version> shuffled = new ArrayList<>(versions().toList());
        Collections.shuffle(shuffled, new Random(1));

        assertThat(shuffled.stream().sorted())
                .containsExactlyElementsOf(versions().toList());
    }

    @Test
    void aReleaseIsAtLeastItselfAndWhatCameBefore() {
        assertThat(new Version("0.5.15.post1").atLeast("0.5.15.post1")).isTrue();
        assertThat(new Version("0.5.15.post1").atLeast("0.5.15")).isTrue();
        assertThat(new Version("0.5.15").atLeast("0.5.15.post1")).isFalse();
        assertThat(new Version("0.5.9").atLeast("0.5.10")).isFalse();
    }

    /** A candidate of a release has what the release has, as far as a plan goes. */
    @Test
    void whatFollowsANumberInItsPartDoesNotCount() {
        assertThat(new Version("0.5.13rc2")).isEqualByComparingTo(new Version("0.5.13"));
        assertThat(new Version("v0.5.13")).isEqualByComparingTo(new Version("0.5.13"));
    }

    @Test
    void anyTextIsAVersion() {
        assertThat(new Version("")).isEqualByComparingTo(new Version("0.0"));
        assertThat(new Version("main")).isLessThan(new Version("0.0.1"));
        assertThat(new Version("99999999999999999999")).isGreaterThan(new Version("4000"));
        assertThat(new Version("1.2.3.4.5.6")).isEqualByComparingTo(new Version("1.2.3.4.5.7"));
    }

    private static Stream<Version> versions() {
        return RELEASED.stream().map(Version::new);
    }
}
