package dev.sluice.cli.doctor;

import dev.sluice.events.Backend;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What tests ask of a node. */
final class Orders {
    static final Path REPOSITORY = Path.of(System.getProperty("sluice.root"));

    private Orders() {}

    static Node node(Path directory) {
        return node(null, directory, Backend.CPU);
    }

    static Node node(@Nullable String request, Path directory, @Nullable Backend backend) {
        return new Node(wishes(request, directory, backend, 1, false).order(Map.of()));
    }

    static Wishes wishes(@Nullable String request, Path directory, @Nullable Backend backend, int nodes, boolean mark) {
        return new Wishes(
                request == null ? null : REPOSITORY.resolve("deploy").resolve(request),
                List.of(),
                backend,
                List.of(),
                List.of(),
                directory.resolve("up"),
                directory.resolve("data"),
                null,
                nodes,
                0,
                nodes == 1 ? null : "10.0.0.1:29400",
                true,
                mark);
    }
}
