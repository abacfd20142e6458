package dev.sluice.trainer;

import dev.sluice.testkit.Walls;
import org.junit.jupiter.api.Test;

class WallsTest {
    @Test
    void theTrainerKeepsToItsWalls() {
        Walls.check("dev.sluice.trainer");
    }
}
