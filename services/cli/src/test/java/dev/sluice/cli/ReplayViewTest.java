package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.cli.replay.ReplayView;
import dev.sluice.domain.replay.ReplayLine;
import dev.sluice.domain.replay.ReplayLine.Trained;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ReplayViewTest {
    private static final String SAME = "a".repeat(64);
    private static final String OTHER = "b".repeat(64);

    private final StringWriter out = new StringWriter();
    private final Terminal terminal =
            new Terminal(new PrintWriter(out, true), new PrintWriter(Writer.nullWriter()), false);

    @Test
    void stepsWithTheWeightsOfTheRunAreReproduced() {
        ReplayView view = new ReplayView(terminal, "run");
        view.take(ReplayLine.of(new ReplayLine.Begun(0, "/model", 2)));
        view.take(ReplayLine.of(step(1, false, SAME, SAME, 0.5)));
        view.take(ReplayLine.of(step(2, false, null, SAME, 0.5)));

        view.show(null);

        assertThat(view.reproduced()).isTrue();
        assertThat(out.toString())
                .contains("from step 0 (/model) to step 2", "the same", "not recorded")
                .contains(
                        "2 steps trained again: 1 with the weights that the run had, 1 whose weights were not recorded");
    }

    @Test
    void aStepWithOtherWeightsIsNotReproducedAndSaysBothHashes() {
        ReplayView view = new ReplayView(terminal, "run");
        view.take(ReplayLine.of(step(1, false, SAME, OTHER, 0.5)));

        view.show(null);

        assertThat(view.reproduced()).isFalse();
        assertThat(out.toString())
                .contains("OTHER: bbbbbbbbbbbb, recorded aaaaaaaaaaaa", "the others with other weights");
    }

    @Test
    void figuresOfAForkStandBesideThoseOfTheRun() throws Exception {
        ReplayView view = new ReplayView(terminal, "run");
        view.take(ReplayLine.of(step(1, true, SAME, OTHER, 0.25)));
        view.show("/out");

        assertThat(view.reproduced()).isTrue();
        assertThat(out.toString()).contains("0.500000 -> 0.250000", "1 with other settings", "the result lies in /out");

        out.getBuffer().setLength(0);
        terminal.useJson();
        ReplayView document = new ReplayView(terminal, "run");
        document.take(ReplayLine.of(step(1, true, SAME, OTHER, 0.25)));
        document.show("/out");
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.at("/steps/0/recorded/train~1loss").asDouble()).isEqualTo(0.5);
        assertThat(json.at("/steps/0/figures/train~1loss").asDouble()).isEqualTo(0.25);
        assertThat(json.path("reproduced").asBoolean()).isTrue();
    }

    private static Trained step(
            int step, boolean changed, @Nullable String recorded, @Nullable String now, double loss) {
        return new Trained(step, changed, recorded, now, Map.of("train/loss", 0.5), Map.of("train/loss", loss));
    }
}
