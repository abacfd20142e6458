package dev.sluice.cli.stack;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FreePortTest {
    private static final int WISHED = 27_300;

    @TempDir
    private Path locks;

    @Test
    void aPortThatAnotherStackWillListenOnIsNotTakenTwice() {
        try (FreePort first = FreePort.from(WISHED, locks);
                FreePort second = FreePort.from(WISHED, locks)) {
            assertThat(second.port()).isGreaterThan(first.port());
        }
    }

    @Test
    void aPortIsFreeAgainWhenItsStackIsClosed() {
        FreePort first = FreePort.from(WISHED, locks);
        first.close();

        try (FreePort second = FreePort.from(first.port(), locks)) {
            assertThat(second.port()).isEqualTo(first.port());
        }
    }

    @Test
    void aPortThatAnotherProgramListensOnIsPassedOver() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                FreePort port = FreePort.from(taken.getLocalPort(), locks)) {
            assertThat(port.port()).isNotEqualTo(taken.getLocalPort());
        }
    }
}
