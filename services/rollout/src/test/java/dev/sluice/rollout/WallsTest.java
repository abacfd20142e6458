package dev.sluice.rollout;

import dev.sluice.testkit.Walls;
import org.junit.jupiter.api.Test;

class WallsTest {
    @Test
    void packagesFormNoCycleAndKafkaStaysOutside() {
        Walls.check("dev.sluice.rollout");
    }
}
