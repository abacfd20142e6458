package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.cli.run.RunProjection;
import dev.sluice.events.CheckpointEvent.ConversionProgressed;
import dev.sluice.events.CheckpointEvent.Direction;
import dev.sluice.events.Event;
import dev.sluice.events.EventJson;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.kafka.EventRecord;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RunViewTest {
    private static final String HOLDER = "converter-2 (process 4711 on node-3), for 12 s";

    private final StringWriter out = new StringWriter();
    private final Terminal terminal = new Terminal(new PrintWriter(out, true), new PrintWriter(out, true), false);

    @Test
    void aRunThatConvertsSaysWhatItWaitsFor() {
        new RunView(terminal).show(waiting());

        assertThat(out.toString().lines()).contains("  waiting for    " + HOLDER);
    }

    @Test
    void theDocumentSaysWhatTheRunWaitsForAndNullWhenItGoesOn() throws Exception {
        terminal.useJson();
        new RunView(terminal).show(waiting());
        assertThat(EventJson.mapper().readTree(out.toString()).get("waitsFor").asText())
                .isEqualTo(HOLDER);

        out.getBuffer().setLength(0);
        new RunView(terminal).show(new RunProjection("run-1"));
        assertThat(EventJson.mapper().readTree(out.toString()).get("waitsFor").isNull())
                .isTrue();
    }

    @Test
    void aWaitOfTheTrainerIsShownWithItsReasonAndEnd() {
        Instant end = Instant.parse("2026-01-02T12:00:00Z");
        new RunView(terminal)
                .show(after(new WaitChanged("run-1", 1, "a word", "train/grad_norm is 3", Instant.EPOCH, end)));

        assertThat(out.toString().lines())
                .containsSequence(
                        "  waiting for    a word", "    because      train/grad_norm is 3", "    until        " + end);
    }

    @Test
    void stepsThatAGuardTookBackAreToldWithTheReason() {
        new RunView(terminal).show(after(new RolledBack("run-1", 1, 24, 20, 24, "train/kl is 3 at step 24, above 2")));

        assertThat(out.toString().lines())
                .contains("  rolled back    once, to step 20: train/kl is 3 at step 24, above 2");
    }

    @Test
    void aRunWhoseEnginesAndTrainingTakeTurnsSaysWhoseTurnItIs() {
        RunProjection run = after(new PhaseChanged("run-1", 1, 7, Phase.TRAIN, 0, List.of()));
        new RunView(terminal).show(run);
        assertThat(out.toString().lines()).contains("  phase          train (7), since 1970-01-01T00:00:00Z");

        out.getBuffer().setLength(0);
        terminal.useJson();
        new RunView(terminal).show(run);
        assertThat(out.toString()).contains("\"phase\" : \"train\"", "\"number\" : 7", "\"awaited\" : [ ]");
    }

    private static RunProjection waiting() {
        return after(new ConversionProgressed("run-1", Direction.TO_TORCH_DIST, 0, 100, HOLDER));
    }

    private static RunProjection after(Event event) {
        RunProjection run = new RunProjection("run-1");
        run.apply(new EventRecord<>(event, UUID.randomUUID(), "converter-1", Instant.EPOCH, null, "topic", 0, 0));
        return run;
    }
}
