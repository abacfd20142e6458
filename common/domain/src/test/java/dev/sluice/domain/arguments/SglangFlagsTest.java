package dev.sluice.domain.arguments;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Version;
import dev.sluice.events.TrainingRequest;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SglangFlagsTest {
    /** sglang.md 1.1 and 1.4, and the parsers of the releases themselves. */
    @ParameterizedTest
    @CsvSource({
        "--cuda-graph-max-bs, 0.5.13, --cuda-graph-max-bs",
        "--cuda-graph-max-bs, 0.5.14, --cuda-graph-max-bs-decode",
        "--cuda-graph-max-bs, 0.5.23, --cuda-graph-max-bs-decode",
        "--cuda-graph-max-bs-decode, 0.5.9, --cuda-graph-max-bs",
        "--nsa-prefill-backend, 0.5.12, --nsa-prefill-backend",
        "--nsa-prefill-backend, 0.5.13, --dsa-prefill-backend",
        "--stream-output, 0.5.9, --stream-output",
        "--stream-output, 0.5.10, --incremental-streaming-output",
        "--tensor-parallel-size, 0.5.15.post1, --tp-size",
        "--no-such-flag, 0.5.15.post1, --no-such-flag"
    })
    void a_flag_has_the_name_of_the_version(String flag, String version, String name) {
        assertThat(SglangFlags.spelled(flag, new Version(version))).isEqualTo(name);
    }

    /** sglang.md 1.1 and 1.4. */
    @ParameterizedTest
    @CsvSource({
        "--enable-ep-moe, 0.5.3, true",
        "--enable-ep-moe, 0.5.5, false",
        "--enable-weights-cpu-backup, 0.5.2, false",
        "--enable-weights-cpu-backup, 0.5.3, true",
        "--enable-return-routed-experts, 0.5.6.post2, false",
        "--enable-return-routed-experts, 0.5.7, true",
        "--speculative-use-rejection-sampling, 0.5.13, false",
        "--speculative-use-rejection-sampling, 0.5.14, true",
        "--incremental-streaming-output, 0.5.9, false",
        "--incremental-streaming-output, 0.5.10, true",
        "--tp-size, 0.4.9, true",
        "--tp-size, 1.0.0, true"
    })
    void a_flag_is_known_from_its_first_release_to_its_last(String flag, String version, boolean known) {
        assertThat(SglangFlags.known(new Version(version)).contains(flag)).isEqualTo(known);
    }

    @Test
    void a_flag_that_a_version_takes_under_another_name_is_not_unknown() {
        Flags flags = Flags.NONE
                .with("--cuda-graph-max-bs", 16)
                .with("--enable-eplbb")
                .with("--enable-ep-moe");

        assertThat(SglangFlags.unknown(flags, new Version("0.5.23")))
                .containsExactly("--enable-eplbb", "--enable-ep-moe");
    }

    @Test
    void every_key_that_a_table_points_to_is_a_key_of_requests() {
        assertThat(Stream.of(SglangFlags.TABLE, MegatronFlags.TABLE)
                        .flatMap(table -> table.entries().stream())
                        .map(FlagTable.Entry::use)
                        .filter(FlagUse.Key.class::isInstance)
                        .map(use -> ((FlagUse.Key) use).path())
                        .distinct())
                .isNotEmpty()
                .allSatisfy(path -> assertThat(exists(TrainingRequest.class, path.split("\\.")))
                        .as(path)
                        .isTrue());
    }

    private static boolean exists(Class<?> record, String... path) {
        Class<?> at = record;
        for (String name : path) {
            RecordComponent found = Arrays.stream(at.getRecordComponents())
                    .filter(component -> component.getName().equals(name))
                    .findFirst()
                    .orElse(null);
            if (found == null) {
                return false;
            }
            at = found.getType();
        }
        return true;
    }
}
