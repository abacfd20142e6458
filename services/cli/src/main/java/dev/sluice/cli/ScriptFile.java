package dev.sluice.cli;

import dev.sluice.domain.shell.ShellScript;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A launch script on the disk, and the files that it may source: those in its own folder and below it, and slime's {@code
 * scripts/models} in any folder above it. A script cannot make the command read anything else.
 */
final class ScriptFile {
    private static final int MAXIMUM_BYTES = 1 << 20;
    private static final Path MODELS = Path.of("scripts", "models");

    private final Path file;
    private final Path folder;

    private ScriptFile(Path file) {
        this.file = file;
        this.folder = file.getParent();
    }

    /** @throws CommandFailure if there is no such file */
    static ScriptFile at(Path path) {
        if (!Files.isRegularFile(path)) {
            throw CommandFailure.usage("there is no file " + path.toAbsolutePath());
        }
        try {
            return new ScriptFile(path.toRealPath());
        } catch (IOException e) {
            throw CommandFailure.usage(path + " cannot be read: " + e.getMessage());
        }
    }

    ShellScript script() {
        return new ShellScript(file.getFileName().toString(), folder.toString(), text(file));
    }

    /** The text of a sourced file; empty where there is none that may be read. */
    Optional<String> source(String path) {
        try {
            Path sourced = folder.resolve(path);
            if (!Files.isRegularFile(sourced)) {
                return Optional.empty();
            }
            Path real = sourced.toRealPath(); // a link must not lead out of the folders
            return allowed(real) ? Optional.of(text(real)) : Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private boolean allowed(Path real) {
        if (real.startsWith(folder)) {
            return true;
        }
        for (Path above = folder; above != null; above = above.getParent()) {
            if (real.startsWith(above.resolve(MODELS))) {
                return true;
            }
        }
        return false;
    }

    private static String text(Path path) {
        try {
            long bytes = Files.size(path);
            if (bytes > MAXIMUM_BYTES) {
                throw CommandFailure.usage("%s has %,d bytes; a launch script has at most %,d"
                        .formatted(path.getFileName(), bytes, MAXIMUM_BYTES));
            }
            return new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw CommandFailure.usage(path + " cannot be read: " + e.getMessage());
        }
    }
}
