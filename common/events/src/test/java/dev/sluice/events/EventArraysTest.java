package dev.sluice.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** Expected texts come from Python: {@code base64.b64encode(struct.pack('<3i', 1, 258, -3))} and the like. */
class EventArraysTest {
    @Test
    void integersAreLittleEndian() {
        assertThat(Int32Array.of(1, 258, -3).toBase64()).isEqualTo("AQAAAAIBAAD9////");
        assertThat(Int32Array.fromBase64("AQAAAAIBAAD9////")).isEqualTo(Int32Array.of(1, 258, -3));
    }

    @Test
    void floatsAreLittleEndian() {
        assertThat(Float32Array.of(-0.5f, 0f).toBase64()).isEqualTo("AAAAvwAAAAA=");
    }

    @Test
    void bytesThatAreNoWholeNumbersAreRefused() {
        assertThatThrownBy(() -> Int32Array.fromBase64("AQAAAAI="))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("5 bytes");
    }
}
