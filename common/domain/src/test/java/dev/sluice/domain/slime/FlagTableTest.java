package dev.sluice.domain.slime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.shell.Scripts;
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

    /** Names that slime's arguments.py of commit 624b824a8 (2026-08-21) adds or gives another default. */
    @Test
    void everyFlagOfSlimesOwnIsKnown() {
        assertThat(Scripts.words(FlagTableTest.class, "slime-own-flags.txt"))
                .hasSize(228)
                .allSatisfy(name -> assertThat(FlagTable.find(name)).as(name).isPresent());
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
