package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.cpu.engine.LaunchFlags.UsageException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rules and messages of SGLang 0.5.15's check_server_args. */
class NodePlaceTest {
    @Test
    void withoutFlagsAnEngineIsOneProcess() {
        assertThat(of("")).isEqualTo(new NodePlace(1, 0, null, Duration.ofSeconds(600)));
    }

    @Test
    void aNodeKnowsItsRankAndWhereAllMeet() {
        assertThat(of("--tp-size 2 --nnodes 2 --node-rank 1 --dist-init-addr 10.0.0.6:20002 --dist-timeout 30"))
                .isEqualTo(new NodePlace(2, 1, new InetSocketAddress("10.0.0.6", 20_002), Duration.ofSeconds(30)));
        assertThat(of("--tp-size 2 --nnodes 2 --dist-init-addr [::1]:20002").meeting())
                .isEqualTo(new InetSocketAddress("::1", 20_002));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--nnodes 2 --dist-init-addr a:1 | tp_size must be divisible by number of nodes",
                "--tp-size 2 --nnodes 2 | argument --dist-init-addr: needed with --nnodes 2",
                "--tp-size 2 --nnodes 2 --node-rank 2 --dist-init-addr a:1 | must be 0 to 1 with --nnodes 2, got 2",
                "--node-rank 1 | must be 0 to 0 with --nnodes 1, got 1",
                "--nnodes 0 | argument --nnodes: must be at least 1, got 0",
                "--tp-size 2 --nnodes 2 --dist-init-addr here | must be HOST:PORT, got here",
                "--tp-size 2 --nnodes 2 --dist-init-addr a:70000 | must be HOST:PORT, got a:70000",
                "--tp-size 2 --nnodes 2 --dp-size 2 --dist-init-addr a:1 | not supported unless dp attention!"
            })
    void whatContradictsItselfIsRefused(String flags, String message) {
        assertThatThrownBy(() -> of(flags)).isInstanceOf(UsageException.class).hasMessageContaining(message);
    }

    private static NodePlace of(String flags) {
        List<String> words = Stream.concat(Stream.of("--model-path", "/m"), Arrays.stream(flags.split(" ")))
                .filter(word -> !word.isEmpty())
                .toList();
        return NodePlace.of(LaunchFlags.parse(words));
    }
}
