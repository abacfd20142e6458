package dev.sluice.rollout.engine;

import dev.sluice.process.ChildExit;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/** A started engine process. */
public interface EngineProcess {
    int port();

    /** Where it answers, without a path. */
    default URI address() {
        return URI.create("http://127.0.0.1:" + port());
    }

    long pid();

    EngineApi api();

    /** Where the processes of an engine of several nodes meet. */
    default Optional<String> meetingAddress() {
        return Optional.empty();
    }

    /** Ends when the process has ended, in whatever way. */
    CompletableFuture<ChildExit> exited();

    List<String> lastLines(int atMost);

    /** The engines behind its address. */
    default List<Member> members() {
        return List.of(new Member(address(), OptionalInt.empty()));
    }

    /**
     * One engine.
     *
     * @param address where it answers, without a path
     * @param gpus that it has; empty where the arguments that we gave it say so
     */
    record Member(URI address, OptionalInt gpus) {}

    /** Whether it was there before us: its weights are unknown, and it is let go instead of ended. */
    default boolean adopted() {
        return false;
    }

    /** Ends the process and all it started; blocks up to the grace and a little more. */
    ChildExit stop(Duration grace);
}
