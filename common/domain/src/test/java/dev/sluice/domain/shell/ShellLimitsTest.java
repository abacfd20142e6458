package dev.sluice.domain.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class ShellLimitsTest {
    @Test
    void aScriptOfTenMegabytesIsRefusedWithBothSizes() {
        assertRefused("A=1\n".repeat(10 << 18), "10,485,760 characters; at most 1,048,576");
    }

    @Test
    void aFileThatIsNoTextIsRefused() {
        assertRefused("ELF\0\0\1", "no text");
    }

    @Test
    void aFileThatSourcesItselfComesToAnEnd() {
        ShellReading reading = ShellReader.read(
                new ShellScript("run.sh", "s", ". s/run.sh\n"), Map.of(), path -> Optional.of(". s/run.sh\n"));

        assertThat(reading.broken()).isTrue();
        assertThat(reading.remarks().getFirst().message()).contains("sources more than 16 files, or 8 deep");
    }

    @Test
    void seventeenSourcedFilesAreTooMany() {
        String script = IntStream.range(0, 17)
                .mapToObj(i -> "source s/f%d.sh\n".formatted(i))
                .collect(Collectors.joining());

        ShellReading reading =
                ShellReader.read(new ShellScript("run.sh", "s", script), Map.of(), path -> Optional.of("A=1\n"));

        assertThat(reading.broken()).isTrue();
    }

    @Test
    void nestingHasABound() {
        assertRefused("$(".repeat(5000), "nested more than 100 deep");
        assertRefused("{ ".repeat(5000), "nested more than 100 deep");
        assertRefused("if ".repeat(5000), "nested more than 100 deep");
        assertRefused("X=" + "${A:-".repeat(5000), "nested more than 100 deep");
    }

    @Test
    void functionsThatCallOneAnotherComeToAnEnd() {
        assertRefused("f() { g; }\ng() { f; }\nf\n", "more than 16 deep");
        assertRefused("f0() { :; }\n" + doubling("f%d() { f%d; f%2$d; }\n", 15) + doubledCalls(), "200,000 steps");
    }

    @Test
    void valuesThatDoubleComeToAnEnd() {
        assertRefused("A=xxxxxxxxxxxxxxxx\n" + "A=$A$A\n".repeat(60), "expands to more than");
        assertRefused("A=(a b c d)\n" + "A=(\"${A[@]}\" \"${A[@]}\")\n".repeat(60), "more than 20,000 words");
    }

    @Test
    void patternsThatMustBeTriedOftenComeToAnEnd() {
        assertRefused(
                "P=" + "a".repeat(1000) + "\n" + "Q=${P%%*a*a*a*a*a*a*b}\n".repeat(20_000), "all values together");
    }

    @Test
    void arithmeticIsBounded() {
        assertThat(Scripts.read("show $((" + "(".repeat(3000) + "1" + ")".repeat(3000) + "))")
                        .commands())
                .allSatisfy(command ->
                        assertThat(command.arguments().get(1).known()).isFalse());
        assertThat(Scripts.read("show $((9223372036854775807 + 1)) $((1 / 0)) $((2 ** 64))")
                        .commands()
                        .getFirst()
                        .arguments()
                        .subList(1, 4))
                .noneMatch(Field::known);
    }

    private static String doubling(String form, int count) {
        return IntStream.rangeClosed(1, count)
                .mapToObj(i -> form.formatted(i, i - 1))
                .collect(Collectors.joining());
    }

    private static String doubledCalls() {
        return "f15\n".repeat(8);
    }

    private static void assertRefused(String script, String message) {
        ShellReading reading = Scripts.read(script);

        assertThat(reading.broken()).isTrue();
        assertThat(reading.remarks().getFirst().message()).contains(message);
    }
}
