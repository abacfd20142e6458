package dev.sluice.cli.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.cli.Wrapped;
import dev.sluice.events.Plan.Part;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BarTest {
    @Test
    void partsFollowEachOtherToScaleAndTheLimitIsMarked() {
        Bar bar = new Bar(parts(10, 20, 30), 80, OptionalDouble.of(70));

        assertThat(bar.line(16)).isEqualTo("██▓▓▓▓▒▒▒▒▒▒··┃·");
    }

    @Test
    void roundingsDoNotAddUp() {
        Bar bar = new Bar(parts(1.4, 1.4, 1.4, 1.4, 1.4), 7, OptionalDouble.empty());

        assertThat(bar.line(7)).isEqualTo("█▓▓▒░░▚");
    }

    @Test
    void aLimitAtTheEndOfTheScaleIsTheLastCharacter() {
        Bar bar = new Bar(parts(5), 10, OptionalDouble.of(10));

        assertThat(bar.line(10)).isEqualTo("█████····┃");
    }

    @Test
    void moreThanTheLimitRunsPastItsMark() {
        Bar bar = new Bar(parts(10), 10, OptionalDouble.of(8));

        assertThat(bar.line(10)).isEqualTo("████████┃█");
    }

    @Test
    void nothingIsDrawnOfAnEmptyWhole() {
        assertThat(new Bar(List.of(), 0, OptionalDouble.empty()).line(4)).isEqualTo("····");
    }

    @Test
    void theLegendNamesEveryFill() {
        Bar bar = new Bar(List.of(new Part("KV cache", 41.6), new Part("draft", 1.1)), 80, OptionalDouble.empty());

        assertThat(bar.legend(Figures::gib).replace(Wrapped.HARD_SPACE, ' ')).isEqualTo("█ KV cache 41.6  ▓ draft 1.1");
    }

    @Test
    void whatPartsLeaveOfTheWholeIsShownToo() {
        assertThat(Bar.complete(parts(10, 20), 40)).extracting(Part::kind).containsExactly("a", "b", "other");
        assertThat(Bar.complete(parts(10, 20), 30.2)).hasSize(2);
    }

    /** Parts a, b, c and so on. */
    private static List<Part> parts(double... amounts) {
        return IntStream.range(0, amounts.length)
                .mapToObj(i -> new Part(String.valueOf((char) ('a' + i)), amounts[i]))
                .toList();
    }
}
