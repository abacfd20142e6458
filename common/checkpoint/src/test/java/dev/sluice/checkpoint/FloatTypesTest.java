package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FloatTypesTest {
    /** Expected bits: round to nearest, ties to even, worked out by hand from IEEE 754; the NaN is torch's. */
    @ParameterizedTest
    @CsvSource({
        "3F800000, 3F80", "3F808000, 3F80", "3F808001, 3F81", "3F818000, 3F82", "BF818000, BF82", "7F7FFFFF, 7F80",
        "7F800000, 7F80", "FF800000, FF80", "7FC00001, 7FC0", "7F800001, 7FC0", "80000000, 8000", "00008000, 0000"
    })
    void roundsFloat32ToBfloat16(String float32, String bfloat16) {
        // Given
        float value = Float.intBitsToFloat(Integer.parseUnsignedInt(float32, 16));

        // When
        short bits = FloatTypes.toBfloat16(value);

        // Then
        assertThat("%04X".formatted(bits)).isEqualTo(bfloat16);
    }
}
