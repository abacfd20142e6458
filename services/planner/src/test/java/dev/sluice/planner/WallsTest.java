package dev.sluice.planner;

import dev.sluice.testkit.Walls;
import org.junit.jupiter.api.Test;

class WallsTest {
    @Test
    void thePlannerKeepsToItsWalls() {
        Walls.check("dev.sluice.planner");
    }
}
