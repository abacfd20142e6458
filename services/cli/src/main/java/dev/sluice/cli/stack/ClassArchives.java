package dev.sluice.cli.stack;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * Archives of loaded classes (the JVM's class-data sharing): a service that starts with one takes half the CPU time. A
 * program without one writes it at its end; only when the stack has stopped does it get its name, so that no JVM ever maps
 * half of a file or one that another is writing.
 *
 * @param directory holds them; one that cannot be written only costs time
 */
record ClassArchives(Path directory) {
    private static final String PARTIAL = "." + ProcessHandle.current().pid() + ".partial";
    // Warnings about archives that do not fit any more would fill the logs of services.
    private static final List<String> QUIET = List.of("-Xshare:auto", "-Xlog:disable", "-Xlog:all=error:stderr");

    /**
     * Flags that make a JVM use the archive of its program, or write it.
     *
     * @param program programs of one name share an archive
     * @param instance tells apart those that run at the same time
     * @param jar an archive serves this very file only
     */
    List<String> flags(String program, String instance, Path jar) {
        Path archive = directory.resolve(program + "-" + version(jar) + ".jsa");
        String flag = Files.isRegularFile(archive)
                ? "-XX:SharedArchiveFile=" + archive
                : "-XX:ArchiveClassesAtExit=" + archive + "." + instance + PARTIAL;
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            return QUIET; // a read-only installation
        }
        return Stream.concat(QUIET.stream(), Stream.of(flag)).toList();
    }

    /** Gives names to the archives that the programs of this process have written; nobody runs any more. */
    void keep() throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        List<Path> written;
        try (Stream<Path> files = Files.list(directory)) {
            written = files.filter(file -> file.getFileName().toString().endsWith(PARTIAL))
                    .toList();
        }
        for (Path partial : written) {
            if (isComplete(partial)) {
                String name = partial.getFileName().toString();
                String archive = name.substring(0, name.indexOf(".jsa") + ".jsa".length());
                deleteOlder(archive);
                Files.move(partial, directory.resolve(archive), StandardCopyOption.ATOMIC_MOVE);
            } else {
                Files.deleteIfExists(partial);
            }
        }
    }

    /** The JVM leaves room for the header and writes it last. */
    private static boolean isComplete(Path partial) throws IOException {
        try (DataInputStream in = new DataInputStream(Files.newInputStream(partial))) {
            return in.available() >= Integer.BYTES && in.readInt() != 0;
        }
    }

    /** A running JVM keeps what it has mapped. */
    private void deleteOlder(String archive) throws IOException {
        String program = archive.substring(0, archive.lastIndexOf('-') + 1);
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> older = files.filter(
                            file -> file.getFileName().toString().matches(program + "[0-9a-f]+\\.jsa"))
                    .toList();
            for (Path file : older) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static String version(Path jar) {
        try {
            String identity =
                    System.getProperty("java.vm.version") + Files.getLastModifiedTime(jar) + Files.size(jar) + jar;
            return Integer.toHexString(identity.hashCode());
        } catch (IOException e) {
            return "0"; // no such jar: the JVM will say so
        }
    }
}
