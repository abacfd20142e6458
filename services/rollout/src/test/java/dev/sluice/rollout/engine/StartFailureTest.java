package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.rollout.engine.StartFailure.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StartFailureTest {
    /** Lines of SGLang 0.5.15 (scheduler.py, model_runner.py, cuda_graph_runner.py, network.py), PyTorch, uvicorn, and ours. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "OUT_OF_MEMORY | torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
                "OUT_OF_MEMORY | RuntimeError: Not enough memory. Please try to increase --mem-fraction-static. Current value: 0.7",
                "OUT_OF_MEMORY | Exception: Capture cuda graph failed: CUDA error: out of memory",
                "OUT_OF_MEMORY | Not enough memory. The cache of 4096 requests x 512 tokens needs 8192 MiB, more than 4096",
                "PORT_TAKEN | ValueError: dist_init_addr port 25003 Port is already in use.",
                "PORT_TAKEN | OSError: [Errno 98] Address already in use",
                "PORT_TAKEN | RuntimeError: The server socket has failed to listen (errno: 98 - EADDRINUSE)"
            })
    void theLinesOfAProgramSayWhyItEnded(Kind kind, String line) {
        assertThat(StartFailure.of(List.of("before", line, "after"))).contains(new StartFailure(kind, line));
    }

    @Test
    void otherEndsSayNothing() {
        assertThat(StartFailure.of(List.of("Killed", "AssertionError"))).isEmpty();
    }
}
