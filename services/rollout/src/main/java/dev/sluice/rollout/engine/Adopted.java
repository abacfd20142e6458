package dev.sluice.rollout.engine;

import dev.sluice.process.ChildExit;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/** What somebody else started and this instance uses for a while: it is let go, never ended. */
final class Adopted implements EngineProcess {
    private final URI address;
    private final EngineApi api;
    private final List<Member> members;
    private final Runnable letGo;
    private final CompletableFuture<ChildExit> exited = new CompletableFuture<>();

    /**
     * Takes it.
     *
     * @param members the engines behind this address
     * @param letGo runs once, when it is not used any more; may block and must not throw
     */
    Adopted(URI address, EngineApi api, List<Member> members, Runnable letGo) {
        this.address = address;
        this.api = api;
        this.members = List.copyOf(members);
        this.letGo = letGo;
    }

    @Override
    public URI address() {
        return address;
    }

    @Override
    public int port() {
        return address.getPort() > 0 ? address.getPort() : "https".equals(address.getScheme()) ? 443 : 80;
    }

    @Override
    public long pid() {
        return 0;
    }

    @Override
    public EngineApi api() {
        return api;
    }

    @Override
    public List<Member> members() {
        return members;
    }

    @Override
    public boolean adopted() {
        return true;
    }

    @Override
    public CompletableFuture<ChildExit> exited() {
        return exited;
    }

    @Override
    public List<String> lastLines(int atMost) {
        return List.of();
    }

    @Override
    public ChildExit stop(Duration grace) {
        ChildExit exit = new ChildExit(List.of(address.toString()), 0, OptionalInt.empty(), List.of());
        if (exited.complete(exit)) {
            letGo.run();
        }
        return exit;
    }
}
