package dev.sluice.cpu.worker;

import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The folders that calls may name paths in. */
final class AllowedRoots {
    private final List<Path> roots;

    /** @throws IOException if a root does not exist */
    AllowedRoots(List<Path> roots) throws IOException {
        List<Path> real = new ArrayList<>();
        for (Path root : roots) {
            real.add(root.toRealPath());
        }
        this.roots = List.copyOf(real);
    }

    /** A path that a call reads. */
    Path existing(String text) {
        Path path = confined(text);
        if (!Files.exists(path)) {
            throw new WorkerException(
                    WorkerErrorCode.PATH_REFUSED,
                    path + " does not exist",
                    "see that all services share the data root");
        }
        return path;
    }

    /** A path that a call creates. */
    Path absent(String text) {
        Path path = confined(text);
        if (Files.exists(path)) {
            throw new WorkerException(
                    WorkerErrorCode.PATH_REFUSED, path + " exists already", "name a path of your own epoch");
        }
        return path;
    }

    /** Links are followed as far as the path exists, so that none leads out. */
    private Path confined(String text) {
        try {
            Path path = Path.of(text);
            if (path.isAbsolute()) {
                Path normal = path.normalize();
                Path real = realAncestor(normal);
                if (roots.stream().anyMatch(real::startsWith)) {
                    return normal;
                }
            }
        } catch (InvalidPathException | NullPointerException e) {
            throw refused(text);
        }
        throw refused(text);
    }

    private WorkerException refused(String text) {
        return new WorkerException(
                WorkerErrorCode.PATH_REFUSED,
                text + " is not an absolute path in one of " + roots,
                "move it there, or start the worker with --allow-root");
    }

    private static Path realAncestor(Path path) {
        for (Path ancestor = path; ancestor != null; ancestor = ancestor.getParent()) {
            try {
                return ancestor.toRealPath().resolve(ancestor.relativize(path));
            } catch (IOException e) {
                // Does not exist yet: its parent decides.
            }
        }
        return path;
    }
}
