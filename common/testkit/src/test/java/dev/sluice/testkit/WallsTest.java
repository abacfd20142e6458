package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class WallsTest {
    @Test
    void theModulesBelowKeepTheirWalls() {
        assertThatCode(() -> Walls.check("dev.sluice.broker")).doesNotThrowAnyException();
        assertThatCode(() -> Walls.check("dev.sluice.kafka")).doesNotThrowAnyException();
        assertThatCode(() -> Walls.check("dev.sluice.process")).doesNotThrowAnyException();
        assertThatCode(() -> Walls.check("dev.sluice.events")).doesNotThrowAnyException();
    }

    @Test
    void aPackageWithoutClassesIsAMistakeInTheTest() {
        assertThatThrownBy(() -> Walls.check("dev.sluice.plannner"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("There is no class below dev.sluice.plannner");
    }

    @Test
    void hollowNamesAreRefused() {
        assertThatThrownBy(() -> Walls.checkClasses("broken", HollowManager.class))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("HollowManager");
    }

    @Test
    void anotherServiceAndKafkaAreOutOfReach() {
        assertThatThrownBy(() -> Walls.checkClasses("trainer", dev.sluice.planner.broken.UsesTrainer.class))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("TopicPartition");
        assertThatThrownBy(() -> Walls.checkClasses("planner", dev.sluice.planner.broken.UsesTrainer.class))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("dev.sluice.trainer.broken.Trains");
    }

    /** Breaks the rule on names. */
    static final class HollowManager {}
}
