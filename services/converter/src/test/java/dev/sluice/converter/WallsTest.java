package dev.sluice.converter;

import dev.sluice.testkit.Walls;
import org.junit.jupiter.api.Test;

class WallsTest {
    @Test
    void thisServiceKeepsToItsRooms() {
        Walls.check("dev.sluice.converter");
    }
}
