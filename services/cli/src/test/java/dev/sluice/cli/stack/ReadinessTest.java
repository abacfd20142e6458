package dev.sluice.cli.stack;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class ReadinessTest {
    @Test
    void saysWhichCheckIsDownAndWhatKeepsItDown() throws JsonProcessingException {
        String health = """
                {"status": "DOWN", "checks": [
                  {"name": "topics", "status": "DOWN", "data": {"runs": "caught up", "weights": "reading"}},
                  {"name": "disk", "status": "UP"}]}
                """;

        assertThat(Readiness.explain(new ObjectMapper().readTree(health))).isEqualTo("topics: weights reading");
    }

    @Test
    void anAnswerWithoutChecksIsStillNamed() throws JsonProcessingException {
        assertThat(Readiness.explain(new ObjectMapper().readTree("{}"))).isEqualTo("says it is not ready");
    }
}
