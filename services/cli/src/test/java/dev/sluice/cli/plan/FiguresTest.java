package dev.sluice.cli.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.cli.Wrapped;
import org.junit.jupiter.api.Test;

class FiguresTest {
    @Test
    void largeNumbersHaveThreeDigitsAndAUnit() {
        assertThat(shown(29_943_390_976.0)).isEqualTo("29.9 B");
        assertThat(shown(643_706_112.0)).isEqualTo("644 M");
        assertThat(shown(1_026_408_232_448.0)).isEqualTo("1.03 T");
        assertThat(shown(9763)).isEqualTo("9.76 k");
        assertThat(shown(317)).isEqualTo("317");
    }

    @Test
    void roundingDoesNotShowAThousandOfAUnit() {
        assertThat(shown(999.6)).isEqualTo("1.00 k");
        assertThat(shown(999_700_000)).isEqualTo("1.00 B");
        assertThat(shown(99_960)).isEqualTo("100 k");
        assertThat(shown(9_996)).isEqualTo("10.0 k");
    }

    @Test
    void gibHaveADecimalWhereItMatters() {
        assertThat(Figures.gib(0.02)).isEqualTo("0.02");
        assertThat(Figures.gib(48.84)).isEqualTo("48.8");
        assertThat(Figures.gib(2048)).isEqualTo("2,048");
        assertThat(Figures.gib(0)).isEqualTo("0.0");
    }

    @Test
    void secondsHaveADecimalBelowTen() {
        assertThat(plain(Figures.seconds(3.21))).isEqualTo("3.2 s");
        assertThat(plain(Figures.seconds(1700.4))).isEqualTo("1,700 s");
    }

    @Test
    void oneThingIsNotPlural() {
        assertThat(Figures.some(1, "engine")).isEqualTo("1 engine");
        assertThat(Figures.some(1024, "GPU")).isEqualTo("1,024 GPUs");
    }

    private static String shown(double number) {
        return plain(Figures.rounded(number));
    }

    private static String plain(String figure) {
        return figure.replace(Wrapped.HARD_SPACE, ' ');
    }
}
