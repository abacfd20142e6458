package dev.sluice.cli.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ByteFiguresTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "999, 999 B",
        "999.6, 1.00 kB",
        "1000, 1.00 kB",
        "9996, 10.0 kB",
        "99960, 100 kB",
        "62442977152, 62.4 GB",
        "1026408232448, 1.03 TB",
        "5e18, 5000 PB"
    })
    void amountsHaveThreeDigitsAndADecimalUnit(double bytes, String shown) {
        assertThat(ByteFigures.bytes(bytes)).isEqualTo(shown);
    }

    @Test
    void timesHaveTheirTwoLargestUnits() {
        assertThat(ByteFigures.time(Duration.ofMillis(1499))).isEqualTo("1 s");
        assertThat(ByteFigures.time(Duration.ofSeconds(59))).isEqualTo("59 s");
        assertThat(ByteFigures.time(Duration.ofSeconds(125))).isEqualTo("2 min 5 s");
        assertThat(ByteFigures.time(Duration.ofSeconds(3780))).isEqualTo("1 h 3 min");
    }

    @ParameterizedTest
    @CsvSource({"5000000000, 5000000000", "5GB, 5000000000", "4GiB, 4294967296", "400kb, 400000", "2M, 2000000"})
    void amountsAreReadWithOrWithoutAUnit(String text, long bytes) {
        assertThat(ByteFigures.parse(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "-5GB", "5XB", "1.5GB", "GB", "many"})
    void whatIsNoAmountIsSaid(String text) {
        assertThatThrownBy(() -> ByteFigures.parse(text)).hasMessageContaining("such as 5GB");
    }
}
