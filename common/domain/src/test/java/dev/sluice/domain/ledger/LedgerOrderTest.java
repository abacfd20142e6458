package dev.sluice.domain.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Event;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two topics have no common order: however they are interleaved, the ledger ends the same and never loses a token. */
class LedgerOrderTest {
    private record Written(Event event, UUID id) {}

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void anyInterleavingOfTheTwoTopicsGivesTheSameBuckets(long seed) {
        Random random = new Random(seed);
        List<Written> groups = new ArrayList<>();
        List<Written> training = new ArrayList<>();
        long tokens = write(random, groups, training);

        Ledger inOrder = new Ledger("run-1");
        groups.forEach(written -> inOrder.apply(written.event(), written.id()));
        training.forEach(written -> inOrder.apply(written.event(), written.id()));
        Ledger interleaved = new Ledger("run-1");
        for (int g = 0, t = 0; g + t < groups.size() + training.size(); ) {
            boolean group = t == training.size() || g < groups.size() && random.nextBoolean();
            Written next = group ? groups.get(g++) : training.get(t++);
            interleaved.apply(next.event(), next.id());
            assertThat(interleaved.tokens().total()).isEqualTo(interleaved.tokensReported());
        }

        assertThat(interleaved.tokens()).isEqualTo(inOrder.tokens());
        assertThat(interleaved.tokensReported()).isEqualTo(tokens);
    }

    private static long write(Random random, List<Written> groups, List<Written> training) {
        LedgerEvents events = new LedgerEvents("run-1");
        long tokens = 0;
        int cursor = 0;
        for (int step = 1; step <= 20; step++) {
            List<GroupUse> uses = new ArrayList<>();
            List<GroupDrop> drops = new ArrayList<>();
            for (int i = 0; i < 4; i++, cursor++) {
                int attempts = 1 + random.nextInt(2);
                UUID first = UUID.randomUUID();
                for (int attempt = 0; attempt < attempts; attempt++) {
                    int trainable = random.nextInt(50);
                    int masked = random.nextInt(5);
                    int aborted = random.nextInt(10);
                    tokens += trainable + masked + aborted;
                    groups.add(new Written(
                            events.sampled(cursor, 0, 1, trainable, masked, aborted),
                            attempt == 0 ? first : UUID.randomUUID()));
                }
                if (random.nextInt(4) == 0) {
                    drops.add(events.drop(cursor, 0, first, DropReason.values()[random.nextInt(4)]));
                } else {
                    uses.add(events.use(cursor, 0, first));
                }
            }
            training.add(new Written(events.batch(1, step, uses, drops), UUID.randomUUID()));
            training.add(new Written(events.step(1, step, 0.5), UUID.randomUUID()));
        }
        return tokens;
    }
}
