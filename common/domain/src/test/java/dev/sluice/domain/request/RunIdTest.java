package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunIdTest {
    private static final String SHA256 = "0123456789abcdef".repeat(4);

    @ParameterizedTest
    @ValueSource(strings = {"", "Tiny", "a/b", "..", "a b", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddx"})
    void refusesWhatCannotStandInPaths(String runId) {
        assertThat(RunId.isValid(runId)).isFalse();
    }

    @Test
    void makesAnIdFromNameAndContent() {
        assertThat(RunId.of("GLM-4.7 Flash!", SHA256)).isEqualTo("glm-4-7-flash--01234567");
        assertThat(RunId.isValid(RunId.of("x".repeat(80), SHA256))).isTrue();
    }
}
