package dev.sluice.workerapi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.events.Float32Array;
import dev.sluice.http.Json;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class WireTest {
    @Test
    void aTrainRequestIsReadWithTheDefaultsOfWhatItLeavesOut() throws JsonProcessingException {
        String text = """
                {"epoch":1,"operationId":"t-5","step":5,"batch":"/b","model":"policy",
                 "loss":{"algorithm":"grpo","clipLow":0.2,"clipHigh":0.28,"learningRate":1e-6}}
                """;

        TrainRequest request = Json.MAPPER.readValue(text, TrainRequest.class);

        assertThat(request.loss()).isEqualTo(LossConfig.grpo(1e-6, 0));
        assertThat(request.model()).isEqualTo(ModelRole.POLICY);
    }

    @Test
    void requestsComeBackAsTheyWereSent() throws JsonProcessingException {
        ForwardRequest request =
                new ForwardRequest(0, "f", "/b", ModelRole.REFERENCE, Set.of(ForwardRequest.Want.LOGPROBS), "/o");

        String text = Json.MAPPER.writeValueAsString(request);

        assertThat(text).contains("\"model\":\"reference\"", "\"want\":[\"logprobs\"]");
        assertThat(Json.MAPPER.readValue(text, ForwardRequest.class)).isEqualTo(request);
    }

    @Test
    void logprobsTravelAsBase64OfLittleEndianFloats() throws JsonProcessingException {
        // 1.0f is 0x3f800000 and -2.0f is 0xc0000000; python3: base64.b64encode(struct.pack("<2f", 1, -2))
        assertThat(Json.MAPPER.writeValueAsString(Float32Array.of(1, -2))).isEqualTo("\"AACAPwAAAMA=\"");
        assertThat(Json.MAPPER.readValue("\"AACAPwAAAMA=\"", Float32Array.class))
                .isEqualTo(Float32Array.of(1, -2));
    }

    @Test
    void anOperationIdThatCannotStandInAnAddressIsRefused() {
        assertThatThrownBy(() -> new SaveRequest(0, "../health", "/d"))
                .isInstanceOf(WorkerException.class)
                .hasMessageContaining("operationId is ../health");
    }

    @Test
    void aFieldThatIsMissingIsNamed() {
        assertThatThrownBy(() -> Json.MAPPER.readValue("{\"operationId\":\"f\",\"batch\":\"/b\"}", TrainRequest.class))
                .hasMessageContaining("model is missing");
    }

    @Test
    void anOperationTellsWhatEachRankIsIn() throws JsonProcessingException {
        String text = """
                {"operationId":"t-5","state":"running","progress":0.5,"result":null,"error":null,
                 "ranks":[{"rank":1,"phase":"train: micro-batch 3 of 8","seconds":0.4}]}
                """;

        Operation operation = Json.MAPPER.readValue(text, Operation.class);

        assertThat(operation.ranks()).containsExactly(new RankProgress(1, "train: micro-batch 3 of 8", 0.4));
    }

    @Test
    void anOperationOfAWorkerThatSaysNothingOfItsRanksIsReadAsBefore() throws JsonProcessingException {
        Operation operation = Json.MAPPER.readValue(
                "{\"operationId\":\"t-5\",\"state\":\"running\",\"progress\":0}", Operation.class);

        assertThat(operation).isEqualTo(new Operation("t-5", Operation.State.RUNNING, 0, null, null));
    }

    /** The fields are those that services/megatron-worker's wire.py reads, which refuses any other. */
    @Test
    void callsOfTheGpuWorkerHaveTheFieldsThatItReads() throws JsonProcessingException {
        assertThat(Json.MAPPER.writeValueAsString(new ConnectRequest(
                        1,
                        "c",
                        "10.0.0.7",
                        29_500,
                        "sluice-run-e1-1",
                        List.of(new ConnectRequest.Member("http://10.0.0.8:30000", 8)),
                        "nccl")))
                .isEqualTo(
                        "{\"epoch\":1,\"operationId\":\"c\",\"masterAddress\":\"10.0.0.7\",\"masterPort\":29500,"
                                + "\"groupName\":\"sluice-run-e1-1\",\"engines\":[{\"address\":\"http://10.0.0.8:30000\",\"ranks\":8}],\"backend\":\"nccl\"}");
        assertThat(Json.MAPPER.writeValueAsString(new SendRequest(
                        1, "s", List.of("http://10.0.0.8:7000"), 4, SendRequest.Transport.NCCL, "g", false, 0, 0)))
                .isEqualTo(
                        "{\"epoch\":1,\"operationId\":\"s\",\"engines\":[\"http://10.0.0.8:7000\"],\"version\":4,\"transport\":\"nccl\","
                                + "\"groupName\":\"g\",\"flushCache\":false,\"bucketBytes\":536870912,\"timeoutSeconds\":600.0}");
        assertThat(Json.MAPPER.writeValueAsString(new OffloadRequest(1, "o", Set.of(Held.OPTIMIZER))))
                .isEqualTo("{\"epoch\":1,\"operationId\":\"o\",\"what\":[\"optimizer\"]}");
    }

    @Test
    void aGroupOfOneAndAnOffloadOfNothingAreRefused() {
        assertThatThrownBy(() -> new ConnectRequest(1, "c", "h", 29_500, "g", List.of(), "nccl"))
                .hasMessageContaining("engines");
        assertThatThrownBy(() -> new OnloadRequest(1, "o", Set.of())).hasMessageContaining("what is missing");
        assertThatThrownBy(() -> new SendRequest(1, "s", null, 4, SendRequest.Transport.NCCL, null, false, 0, 0))
                .hasMessageContaining("groupName is missing");
    }
}
