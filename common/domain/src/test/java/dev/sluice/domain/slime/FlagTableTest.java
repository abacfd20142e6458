package dev.sluice.domain.slime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.slime.KnownFlag.Owner;
import dev.sluice.events.TrainingRequest;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FlagTableTest {
    @Test
    void everyPlaceThatAFlagGoesToIsAKeyOfARequest() {
        for (KnownFlag flag : FlagTable.all()) {
            Optional<String> path = switch (flag.treatment()) {
                case Treatment.Maps maps -> Optional.of(maps.path());
                case Treatment.Joins joins -> Optional.of(joins.path());
                default -> Optional.empty();
            };
            path.ifPresent(place ->
                    assertThat(exists(place)).as(flag.name() + " -> " + place).isTrue());
        }
    }

    /** 223 flags by slime's arguments.py of 2026-08-21, 8 with two names or more than one form, and 2 that it had before. */
    @Test
    void everyFlagOfSlimesOwnIsKnown() {
        long own = FlagTable.all().stream()
                .filter(flag -> flag.owner() == Owner.SLIME || flag.owner() == Owner.BOTH)
                .count();

        assertThat(own).isEqualTo(234);
    }

    /** Counted in ServerArgs of SGLang 0.5.15.post1: 437 names and 14 second names. */
    @Test
    void everyFlagOfSglangIsKnownUnderBothItsNames() {
        assertThat(FlagTable.all().stream().filter(flag -> flag.name().startsWith("--sglang-")))
                .hasSizeGreaterThan(437);
        assertThat(FlagTable.find("--sglang-tensor-parallel-size"))
                .map(KnownFlag::name)
                .contains("--sglang-tp-size");
        assertThat(FlagTable.find("--sglang-expert-parallel-size"))
                .map(KnownFlag::name)
                .contains("--sglang-ep-size");
    }

    @Test
    void whatIsRefusedSaysWhyAndWhatToDo() {
        for (KnownFlag flag : FlagTable.all()) {
            if (flag.treatment() instanceof Treatment.Unsupported unsupported) {
                assertThat(unsupported.otherwise().severity()).as(flag.name()).isNotNull();
                assertThat(List.of(unsupported.why(), unsupported.mend()))
                        .as(flag.name())
                        .doesNotContain("-", "");
            }
        }
    }

    private static boolean exists(String path) {
        Class<?> type = TrainingRequest.class;
        for (String key : path.split("\\.")) {
            Optional<RecordComponent> component = Arrays.stream(type.getRecordComponents())
                    .filter(candidate -> candidate.getName().equals(key))
                    .findFirst();
            if (component.isEmpty()) {
                return false;
            }
            Class<?> next = component.get().getType();
            type = next.isRecord() && next != Map.class ? next : NoKeys.class;
        }
        return true;
    }

    private record NoKeys() {}
}
