package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Rollout.PauseMode;
import dev.sluice.rollout.task.DirectRequests.Placement;
import dev.sluice.rollout.task.RoutedRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which engine and rank the requests of an SGLang client's session go to. */
class SessionsTest {
    private static final int CAPACITY = 8;

    @TempDir
    private Path folder;

    @Test
    void requestsOfASessionGoToOneEngineAndOneRank() {
        FakeRun run = served(3);

        Placement.To first = place(run, "chat-1");
        first.done().run();
        List<Placement.To> later = new ArrayList<>();
        IntStream.range(0, 5).forEach(i -> {
            later.add(place(run, "chat-1"));
            later.getLast().done().run();
            place(run, null).done().run();
        });

        assertThat(later).extracting(Placement.To::engineId).containsOnly(first.engineId());
        assertThat(later).extracting(Placement.To::rank).containsOnly(first.rank());
        assertThat(first.rank()).isBetween(0, 1);
    }

    @Test
    void sessionsSpreadOverEnginesAndRanks() {
        FakeRun run = served(3);

        Map<String, Integer> places = new HashMap<>();
        for (int session = 0; session < 600; session++) {
            Placement.To to = place(run, "chat-" + session);
            places.merge(to.engineId() + "/" + to.rank(), 1, Integer::sum);
            to.done().run();
        }

        // 100 each; five standard deviations of a binomial are 46
        assertThat(places)
                .hasSize(6)
                .allSatisfy((place, sessions) -> assertThat(sessions).isBetween(54, 146));
    }

    @Test
    void aFullEngineIsPassedOverAndTheSessionComesBackLater() {
        FakeRun run = served(2);
        Placement.To home = place(run, "chat-1");
        List<Placement.To> filling =
                IntStream.range(1, CAPACITY).mapToObj(i -> place(run, "chat-1")).toList();

        Placement.To elsewhere = place(run, "chat-1");
        filling.forEach(one -> one.done().run());
        Placement.To again = place(run, "chat-1");

        assertThat(filling).extracting(Placement.To::engineId).containsOnly(home.engineId());
        assertThat(filling).extracting(Placement.To::rank).contains(0, 1);
        assertThat(elsewhere.engineId()).isNotEqualTo(home.engineId());
        assertThat(again.engineId()).isEqualTo(home.engineId());
    }

    @Test
    void whenAnEngineDiesItsSessionsMoveAndNoOthersDo() {
        FakeRun run = served(3);
        Map<String, String> before = homes(run);

        run.engines.launched.getFirst().crash("it is gone");
        run.core.settle();
        Map<String, String> after = homes(run);

        assertThat(before).allSatisfy((session, engine) -> {
            if (engine.equals("engine-1")) {
                assertThat(after.get(session)).isIn("engine-2", "engine-3");
            } else {
                assertThat(after).containsEntry(session, engine);
            }
        });
    }

    @Test
    void aReplySaysWithWhichWeightsItBeganAndWithWhichItCanHaveEnded() throws IOException {
        FakeRun run =
                new FakeRun(folder, 1, List.of()).pausing(PauseMode.IN_PLACE).serve();
        Placement.To to = place(run, null);

        run.publish(1);

        assertThat(to.version()).isZero();
        assertThat(to.newest().getAsInt()).isEqualTo(1);
    }

    private FakeRun served(int engines) {
        return new FakeRun(folder, engines, List.of("--dp-size", "2")).serve();
    }

    private static Map<String, String> homes(FakeRun run) {
        Map<String, String> homes = new HashMap<>();
        for (int session = 0; session < 60; session++) {
            Placement.To to = place(run, "chat-" + session);
            homes.put("chat-" + session, to.engineId());
            to.done().run();
        }
        return homes;
    }

    private static Placement.To place(FakeRun run, @Nullable String session) {
        return (Placement.To) run.run.direct().place(new RoutedRequest(null, null, session, null, 1));
    }
}
