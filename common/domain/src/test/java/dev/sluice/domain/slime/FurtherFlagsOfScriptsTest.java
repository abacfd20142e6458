package dev.sluice.domain.slime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.arguments.FurtherFlags;
import dev.sluice.events.Problem;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What an import passes on under a flag's own name must be a flag that a request may give. */
class FurtherFlagsOfScriptsTest {
    /** Some value of every type that a flag takes. */
    private static final List<String> VALUES = List.of("true", "1", "0.5", "bf16", "none", "1 1", "rope", "adam");

    static Stream<String> passedOn() {
        return FlagTable.all().stream()
                .filter(flag -> flag.treatment() instanceof Treatment.Megatron)
                .map(KnownFlag::name);
    }

    @ParameterizedTest
    @MethodSource("passedOn")
    void aRequestMayGiveIt(String flag) {
        List<Problem> refusals = VALUES.stream()
                .map(value ->
                        FurtherFlags.megatron(Map.of(flag.substring(2), value)).problems())
                .flatMap(List::stream)
                .filter(problem -> !problem.mend().startsWith("set it to "))
                .toList();

        assertThat(refusals).isEmpty();
    }
}
