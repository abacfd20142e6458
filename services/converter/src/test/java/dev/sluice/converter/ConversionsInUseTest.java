package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.Event;
import dev.sluice.events.RunEvent.RunCancelled;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.RunStopping;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.kafka.EventRecord;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ConversionsInUseTest {
    private static final Path CONVERSION = Path.of("/data/checkpoints/key");

    private final ConversionsInUse inUse = new ConversionsInUse();

    @Test
    void aConversionIsUsedFromItsEventToTheEndOfTheRun() {
        assertThat(inUse.uses(CONVERSION)).isFalse();
        tell(converted("a"));
        assertThat(inUse.uses(CONVERSION)).isTrue();
        tell(new RunStopping("a", "asked"));
        assertThat(inUse.uses(CONVERSION)).isTrue();
        tell(new RunSucceeded("a", 1, "cut", "export"));
        assertThat(inUse.uses(CONVERSION)).isFalse();
    }

    @Test
    void itIsUsedUntilTheLastOfItsRunsHasEnded() {
        List.of("a", "b").forEach(run -> tell(converted(run)));
        tell(new RunFailed("a", "reason", null));
        assertThat(inUse.uses(CONVERSION)).isTrue();
        tell(new RunCancelled("b", "reason"));
        assertThat(inUse.uses(CONVERSION)).isFalse();
    }

    @Test
    void theEndOfARunMayBeReadBeforeItsConversion() {
        tell(new RunCancelled("a", "reason"));
        tell(converted("a"));
        assertThat(inUse.uses(CONVERSION)).isFalse();
    }

    @Test
    void hostsMayMountTheCacheElsewhere() {
        tell(converted("a"));
        assertThat(inUse.uses(Path.of("/mnt/other/key"))).isTrue();
    }

    private static CheckpointConverted converted(String run) {
        return new CheckpointConverted(run, "source", CONVERSION.toString(), 1, 1, 1, false);
    }

    private void tell(Event event) {
        inUse.apply(new EventRecord<>(event, UUID.randomUUID(), "test", Instant.EPOCH, null, "topic", 0, 0));
    }
}
