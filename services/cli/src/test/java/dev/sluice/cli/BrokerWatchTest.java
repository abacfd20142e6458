package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class BrokerWatchTest {
    private static final Duration PATIENCE = Duration.ofMillis(200);

    @Test
    void aBrokerThatIsThereIsNotGoneAndOneThatEndsIsWithWhatToDo() throws IOException {
        ServerSocket broker = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        String address = "127.0.0.1:" + broker.getLocalPort();
        try (BrokerWatch watch = BrokerWatch.start(address, PATIENCE)) {
            await().during(PATIENCE.multipliedBy(2))
                    .atMost(Duration.ofSeconds(5))
                    .until(() -> !watch.gone().isDone());

            broker.close();

            await().atMost(Duration.ofSeconds(5)).until(() -> watch.gone().isDone());
            assertThat(watch.gone()).isCompletedWithValueMatching(text -> text.contains(address), "names the address");
            assertThat(watch.gone().join()).contains("sluice up");
        }
    }
}
