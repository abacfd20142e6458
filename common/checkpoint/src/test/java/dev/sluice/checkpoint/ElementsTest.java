package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ElementsTest {
    /**
     * Eight-bit floats: table 1 of "FP8 Formats for Deep Learning" (arXiv 2209.05433); sixteen-bit ones: largest and smallest numbers of IEEE 754 binary16
     * and of bfloat16 as torch.finfo says.
     */
    @ParameterizedTest
    @CsvSource({
        "F8_E4M3, 38,               1",
        "F8_E4M3, b8,               -1",
        "F8_E4M3, 7e,               448",
        "F8_E4M3, 7f,               NaN",
        "F8_E4M3, ff,               NaN",
        "F8_E4M3, 01,               0.001953125",
        "F8_E4M3, 07,               0.013671875",
        "F8_E4M3, 08,               0.015625",
        "F8_E4M3, 00,               0",
        "F8_E5M2, 3c,               1",
        "F8_E5M2, 7b,               57344",
        "F8_E5M2, 7c,               Infinity",
        "F8_E5M2, fc,               -Infinity",
        "F8_E5M2, 01,               0.0000152587890625",
        "F16,     ff7b,             65504",
        "F16,     0100,             5.9604644775390625e-8",
        "BF16,    7f7f,             3.3895313892515355e38",
        "BF16,    8000,             1.1754943508222875e-38",
        "BF16,    80bf,             -1",
        "F32,     0000c03f,         1.5",
        "F64,     000000000000f8bf, -1.5",
        "I64,     feffffffffffffff, -2",
        "U64,     ffffffffffffffff, 18446744073709551615",
        "I32,     ffffffff,         -1",
        "U32,     ffffffff,         4294967295",
        "I16,     ffff,             -1",
        "U16,     ffff,             65535",
        "I8,      ff,               -1",
        "U8,      ff,               255",
        "BOOL,    02,               1",
    })
    void decodesEveryType(DType type, String hex, double value) {
        // Given an element after another, which the buffer's position leaves out
        ByteBuffer data = ByteBuffer.wrap(HexFormat.of().parseHex(hex + hex)).position(type.bytes());
        double[] decoded = {Double.MIN_VALUE, Double.MIN_VALUE};

        // When
        Elements.decode(data, type, decoded, 1);

        // Then
        assertThat(decoded).containsExactly(value, Double.MIN_VALUE);
        assertThat(data.position()).isEqualTo(type.bytes());
    }
}
