package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import org.junit.jupiter.api.Test;

class ListeningTest {
    @Test
    void enginesAreReachedByTheAddressThatTheyBind() {
        assertThat(Listening.HERE.address(20_001)).isEqualTo(URI.create("http://127.0.0.1:20001"));
        assertThat(new Listening("10.0.0.7", "secret").address(20_001)).isEqualTo(URI.create("http://10.0.0.7:20001"));
        assertThat(new Listening("fd00::7", "secret").address(20_001)).isEqualTo(URI.create("http://[fd00::7]:20001"));
    }

    @Test
    void anAddressThatOthersReachNeedsAToken() {
        assertThatThrownBy(() -> new Listening("10.0.0.7", null))
                .hasMessageContaining("sluice.rollout.engine.host=10.0.0.7")
                .hasMessageContaining("set sluice.rollout.engine.api-key");
    }

    @Test
    void allAddressesAtOnceAreNoneByWhichAWorkerReachesAnEngine() {
        assertThatThrownBy(() -> new Listening("0.0.0.0", "secret")).hasMessageContaining("give one of its own");
        assertThatThrownBy(() -> new Listening("::", "secret")).hasMessageContaining("give one of its own");
    }

    @Test
    void theTokenIsNotWrittenOut() {
        assertThat(new Listening("10.0.0.7", "secret").toString()).doesNotContain("secret");
    }
}
