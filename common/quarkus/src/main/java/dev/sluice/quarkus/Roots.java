package dev.sluice.quarkus;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Confines paths that come from outside to the data root and the configured input roots. */
@ApplicationScoped
public class Roots {
    private final Path dataRoot;
    private final List<Path> all;

    @Inject
    Roots(SluiceConfig config) {
        this(config.dataRoot(), config.inputRoots().orElse(List.of()));
    }

    /** For a process that reads no configuration. */
    public Roots(Path dataRoot, List<Path> inputRoots) {
        this.dataRoot = normal(dataRoot);
        List<Path> roots = new ArrayList<>(List.of(this.dataRoot));
        inputRoots.forEach(root -> roots.add(normal(root)));
        this.all = List.copyOf(roots);
    }

    public Path dataRoot() {
        return dataRoot;
    }

    /** Directory of a run under the data root. */
    public Path run(String runId) {
        return dataRoot.resolve("runs").resolve(runId);
    }

    public List<Path> all() {
        return all;
    }

    /** What is wrong with a path that a request names, if anything: outside the roots, also by way of a link. */
    public Optional<String> objection(String path) {
        Path normal;
        try {
            normal = normal(Path.of(path));
            normal = normal.toFile().exists() ? normal.toRealPath() : normal;
        } catch (java.io.IOException | java.nio.file.InvalidPathException e) {
            return Optional.of(path + " is no usable path: " + e.getMessage());
        }
        Path checked = normal;
        return all.stream().anyMatch(root -> checked.startsWith(real(root)))
                ? Optional.empty()
                : Optional.of("%s lies outside the configured roots %s".formatted(path, all));
    }

    private static Path normal(Path path) {
        return path.toAbsolutePath().normalize();
    }

    private static Path real(Path root) {
        try {
            return root.toFile().exists() ? root.toRealPath() : root;
        } catch (java.io.IOException e) {
            return root;
        }
    }
}
