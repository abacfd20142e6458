package dev.sluice.cli.stack;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ClassArchivesTest {
    @TempDir
    private Path directory;

    private Path jar;
    private ClassArchives archives;

    @BeforeEach
    void findJar() throws Exception {
        jar = Path.of(CommandLine.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        archives = new ClassArchives(directory.resolve("cds"));
    }

    @Test
    void theFirstLifeOfAProgramWritesTheArchiveThatTheNextOneUses() throws Exception {
        List<String> first = archives.flags("small", "small-1", jar);
        assertThat(first.getLast()).startsWith("-XX:ArchiveClassesAtExit=");
        assertThat(run(first)).isZero();

        archives.keep();
        List<String> second = archives.flags("small", "small-1", jar);

        assertThat(second.getLast()).startsWith("-XX:SharedArchiveFile=");
        assertThat(run(second)).isZero();
        assertThat(files()).singleElement().asString().endsWith(".jsa");
    }

    @Test
    void halfOfAnArchiveIsThrownAway() throws IOException {
        String flag = archives.flags("small", "small-1", jar).getLast();
        // The header is written last: until then there are zeros in its place.
        Files.write(Path.of(flag.substring(flag.indexOf('=') + 1)), new byte[4096]);

        archives.keep();

        assertThat(files()).isEmpty();
    }

    @Test
    void whatAnotherProcessIsWritingIsLeftAlone() throws IOException {
        archives.flags("small", "small-1", jar);
        Path others = Files.write(directory.resolve("cds/small-1a.jsa.small-1.1.partial"), new byte[4096]);

        archives.keep();

        assertThat(others).exists();
    }

    private int run(List<String> flags) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(JavaFlags.java(), "-XX:+UseSerialGC"));
        command.addAll(flags);
        command.addAll(List.of("-cp", jar.toString(), "picocli.AutoComplete", "--help"));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output").toFile())
                .start()
                .waitFor();
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("cds"))) {
            return files.toList();
        }
    }
}
