package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.converter.Retention.Cached;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RetentionTest {
    private static final Instant NOW = Instant.parse("2026-01-10T00:00:00Z");
    private static final long UNLIMITED = Long.MAX_VALUE;

    private static final Cached OLD = cached("old", Duration.ofDays(9), 10);
    private static final Cached MIDDLE = cached("middle", Duration.ofDays(5), 20);
    private static final Cached YOUNG = cached("young", Duration.ofDays(1), 40);
    private static final Cached FRESH = cached("fresh", Duration.ofMinutes(1), 80);
    private static final List<Cached> ALL = List.of(MIDDLE, FRESH, OLD, YOUNG);

    @Test
    void theLongestUnusedGoFirst() {
        assertThat(surplus(2, UNLIMITED)).containsExactly(OLD, MIDDLE);
        assertThat(surplus(4, UNLIMITED)).isEmpty();
    }

    @Test
    void whatARunUsesStaysAndCounts() {
        assertThat(surplus(2, UNLIMITED, "old")).containsExactly(MIDDLE, YOUNG);
    }

    @Test
    void whatWasUsedAMomentAgoStaysEvenIfNothingMayBeKept() {
        assertThat(surplus(0, 0)).containsExactly(OLD, MIDDLE, YOUNG);
        assertThat(surplus(0, 0, "old", "middle", "young")).isEmpty();
    }

    @Test
    void bytesAreLimitedToo() {
        assertThat(surplus(10, 150)).isEmpty();
        assertThat(surplus(10, 140)).containsExactly(OLD);
        assertThat(surplus(10, 139)).containsExactly(MIDDLE);
    }

    private static List<Cached> surplus(int conversions, long bytes, String... inUse) {
        return new Retention(conversions, bytes)
                .surplus(ALL, path -> Set.of(inUse).contains(path.toString()), NOW);
    }

    private static Cached cached(String name, Duration unused, long bytes) {
        return new Cached(Path.of(name), NOW.minus(unused), bytes);
    }
}
