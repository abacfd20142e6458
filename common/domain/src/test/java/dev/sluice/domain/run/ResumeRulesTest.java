package dev.sluice.domain.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.request.Requests;
import dev.sluice.events.Problem;
import dev.sluice.events.RunEvent.RunFailed;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the planner says of a request that goes on from the story's run, which has the defaults of a request. */
class ResumeRulesTest {
    private final Story story = Story.ofRunningRun();

    @Test
    void onlyARunThatHasEndedCanBeGoneOnFrom() {
        assertThat(problems(resuming(Story.RUN)))
                .extracting(Problem::message)
                .containsExactly("run %s still goes on (running)".formatted(Story.RUN));
        assertThat(problems(resuming("nobody")))
                .extracting(Problem::message)
                .containsExactly("there is no run nobody that was planned");

        story.append(new RunFailed(Story.RUN, "broken", "/cut"));

        assertThat(problems(resuming(Story.RUN))).isEmpty();
        assertThat(problems(Requests.least())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"seed, 8, 42", "shuffle, false, true", "applyChatTemplate, true, false"})
    void whatMakesOtherPromptsOfThePlacesInTheSequenceIsRefusedByItsPath(String key, String other, String before) {
        story.append(new RunFailed(Story.RUN, "broken", "/cut"));
        ObjectNode request = Requests.with("data." + key, other);
        request.set("checkpoints", resuming(Story.RUN).path("checkpoints"));

        assertThat(problems(request)).singleElement().satisfies(problem -> {
            assertThat(problem.path()).isEqualTo("data." + key);
            assertThat(problem.message()).startsWith("is %s, and was %s in run %s".formatted(other, before, Story.RUN));
            assertThat(problem.mend()).startsWith("set data.%s to %s, or start".formatted(key, before));
        });
    }

    private List<Problem> problems(ObjectNode request) {
        return story.desk.objectionsToResuming(Requests.complete(request));
    }

    private static ObjectNode resuming(String runId) {
        return Requests.with("checkpoints.resumeFrom", "\"" + runId + "\"");
    }
}
