package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.model.Models;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HandOverRulesTest {
    @ParameterizedTest
    @CsvSource({
        "gpu, colocated, auto",
        "gpu, colocated, tensor",
        "gpu, colocated, disk",
        "gpu, disaggregated, auto",
        "gpu, disaggregated, nccl",
        "gpu, disaggregated, disk_delta",
        "gpu, auto, tensor",
        "cpu, colocated, auto",
        "cpu, colocated, disk",
        "cpu, disaggregated, disk_delta"
    })
    void placementsAndTransportsThatFitEachOther(String backend, String placement, String transport) {
        assertThat(problems(request(backend, placement, transport))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "disaggregated, tensor, 'engines have GPUs of their own', colocated",
        "colocated, nccl, 'on the same GPUs', disaggregated",
        "colocated, disk_delta, 'given its memory to training', disaggregated"
    })
    void placementsAndTransportsThatDoNot(String placement, String transport, String why, String mend) {
        assertThat(problems(request("gpu", placement, transport)))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.path()).isEqualTo("weights.transport");
                    assertThat(problem.message()).contains(why);
                    assertThat(problem.mend()).contains(mend);
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {"nccl", "tensor"})
    void withoutGpusWeightsAreFiles(String transport) {
        String placement = transport.equals("tensor") ? "colocated" : "disaggregated";

        assertThat(problems(request("cpu", placement, transport)))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains(transport, "cpu backend has none"));
    }

    @Test
    void whatLeavesNoFilesIsPublishedAfterEachStep() {
        ObjectNode document = request("gpu", "disaggregated", "nccl");
        Requests.set(document, "weights.everySteps", "2");

        assertThat(problems(document)).singleElement().satisfies(problem -> {
            assertThat(problem.path()).isEqualTo("weights.everySteps");
            assertThat(problem.mend()).contains("set it to 1");
        });
    }

    @Test
    void aTrainedDraftIsNotLeftBehindByNccl() {
        ObjectNode document = request("gpu", "disaggregated", "nccl");
        Requests.set(document, "training.mtp", "{\"train\": true}");
        Requests.set(document, "rollout.speculation", "{\"algorithm\": \"EAGLE\", \"steps\": 2}");

        assertThat(problems(document))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("MTP layer would not reach"));
    }

    @Test
    void whatTakesTurnsSamplesNothingAheadAndHasNoEnginesElsewhere() {
        ObjectNode document = request("cpu", "colocated", "auto");
        Requests.set(document, "rollout.maxPolicyLag", "1");
        Requests.set(document, "rollout.maxEngines", "4");

        assertThat(problems(document))
                .extracting(Problem::path)
                .containsExactlyInAnyOrder("rollout.maxPolicyLag", "rollout.maxEngines");
    }

    /** {@code sluice eval} asks for no steps with the request of a run. */
    @Test
    void aRunThatTrainsNothingMayKeepThePlacementAndTransportOfOneThatDoes() {
        ObjectNode document = request("gpu", "colocated", "tensor");
        Requests.set(document, "training.steps", "0");
        Requests.set(document, "rollout.maxPolicyLag", "1");

        assertThat(problems(document)).isEmpty();
    }

    private static ObjectNode request(String backend, String placement, String transport) {
        ObjectNode document = Requests.with("backend", "\"" + backend + "\"");
        Requests.set(document, "cluster.placement", "\"" + placement + "\"");
        Requests.set(document, "weights.transport", "\"" + transport + "\"");
        return document;
    }

    private static List<Problem> problems(ObjectNode document) {
        TrainingRequest request = Requests.complete(document);
        Facts facts = new Facts(new Facts.Model(List.of(), Models.tiny()), Map.of(), 1);
        return HandOverRules.ALL.stream()
                .flatMap(rule -> rule.broken(request, facts).stream())
                .toList();
    }
}
