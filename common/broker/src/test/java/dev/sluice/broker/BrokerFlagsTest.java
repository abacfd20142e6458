package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class BrokerFlagsTest {
    @Test
    void theDirectoryIsAllThatMustBeGiven() {
        BrokerFlags flags = BrokerFlags.parse("--dir", "kafka");

        assertThat(flags).isEqualTo(new BrokerFlags(Path.of("kafka"), 0, null));
    }

    @Test
    void portAndStateFileAreRead() {
        BrokerFlags flags = BrokerFlags.parse("--port", "9092", "--dir", "kafka", "--state-file", "run/broker.json");

        assertThat(flags).isEqualTo(new BrokerFlags(Path.of("kafka"), 9092, Path.of("run/broker.json")));
    }

    @Test
    void allProblemsAreReportedAtOnce() {
        assertThatThrownBy(() -> BrokerFlags.parse("--port", "66000", "--dri", "kafka", "--state-file"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("--port must be from 0 to 65535, got '66000'; '--dri' is unknown;"
                        + " '--state-file' needs a value; --dir is missing")
                .hasMessageEndingWith(BrokerFlags.USAGE);
    }
}
