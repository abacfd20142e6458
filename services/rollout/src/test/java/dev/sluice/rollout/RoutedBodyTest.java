package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoutedBodyTest {
    @Test
    void readsTheBoundsAndLeavesTheRestAlone() throws IOException {
        RoutedBody body = read(
                "{'sampling_params': {'n': 4, 'stop': ['a'], 'logit_bias': {'n': 9}}, 'input_ids': [1, 2, 3], 'rid': 'r-1',"
                        + " 'run_id': 'run', 'min_weight_version': 3, 'exact_weight_version': null, 'other': {'run_id': 1}}");

        assertThat(body).isEqualTo(new RoutedBody("run", 3, null, null, null, false, "r-1", 4));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'sampling_params': {'custom_params': {'sluice_session': 'run:7', 'other': {'sluice_session': 1}}, 'n': 2}}",
                "{'n': 2, 'custom_params': {'sluice_session': 'run:7'}}"
            })
    void aSessionNamesItsRun(String body) throws IOException {
        assertThat(read(body)).isEqualTo(new RoutedBody("run", null, null, null, "run:7", false, null, 2));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | 1",
                "{'text': 'a'} | 1",
                "{'text': ['a', 'b']} | 2",
                "{'input_ids': [[1], [2, 3], []]} | 3",
                "{'input_ids': [7, 8, 9]} | 1",
                "{'input_ids': []} | 1",
                "{'prompt': ['a', 'b'], 'n': 3} | 6",
                "{'sampling_params': [{'n': 2}]} | 1"
            })
    void countsTheSamplesThatAreAskedFor(String body, int samples) throws IOException {
        assertThat(read(body).samples()).isEqualTo(samples);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'routing_key': 'chat-1'} | chat-1",
                "{'session_id': 'chat-1', 'routing_key': null} | chat-1",
                "{'session_params': {'rid': 'r', 'id': 'chat-1', 'offset': 3}} | chat-1",
                "{'text': 'chat-1'} | ",
            })
    void findsTheSessionUnderSglangsNames(String body, String session) throws IOException {
        assertThat(read(body).session()).isEqualTo(session);
    }

    @Test
    void writesTheRankOfASessionBeforeWhatTheClientSent() {
        byte[] body = " {\"text\": \"{é\"}".getBytes(StandardCharsets.UTF_8);

        assertThat(new String(RoutedBody.withRank(body, 3), StandardCharsets.UTF_8))
                .isEqualTo(" {\"routed_dp_rank\":3,\"data_parallel_rank\":3,\"text\": \"{é\"}");
    }

    @Test
    void aRankThatTheClientNamesIsItsOwn() throws IOException {
        assertThat(read("{'routed_dp_rank': 0}").ranked()).isTrue();
        assertThat(read("{'data_parallel_rank': null}").ranked()).isFalse();
    }

    @Test
    void aBatchHasNoSingleRequestToAbort() throws IOException {
        assertThat(read("{'rid': 'r', 'text': ['a', 'b']}").rid()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[] | no JSON object",
                "'' | no JSON object",
                "{'min_weight_version': 'x'} | min_weight_version must be a whole number",
                "{'run_id': 3} | run_id must be a text",
                "{'text': ['a', 'b'], 'sampling_params': {'n': 1000000}} | 2000000 samples",
                "{'sampling_params': {'n': -1}} | -1 samples",
                "{'text': | Unexpected end-of-input"
            })
    void refusesWhatItCannotRoute(String body, String reason) {
        assertThatThrownBy(() -> read(body)).isInstanceOf(IOException.class).hasMessageContaining(reason);
    }

    private static RoutedBody read(String body) throws IOException {
        return RoutedBody.read(body.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }
}
