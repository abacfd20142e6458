package dev.sluice.cli.stack;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code .mvn/jdk.sh}, which {@code ./sluice} and {@code ./mvnw} source, on machines with this and that JDK. */
@DisabledOnOs(OS.WINDOWS)
class JdkDiscoveryTest {
    private static final Path REPOSITORY = Path.of(System.getProperty("sluice.root"));
    private static final String FIND = ". ./.mvn/jdk.sh; sluice_find_jdk && echo \"$JAVA_HOME\"";

    @TempDir
    private Path machine;

    private Path tools;

    private record Outcome(int exitCode, List<String> lines) {}

    /** Only what the scripts themselves need: no compiler of the real machine is to be found. */
    @BeforeEach
    void provideTools() throws IOException {
        tools = Files.createDirectory(machine.resolve("tools"));
        for (String tool : List.of("sed", "readlink", "dirname", "uname")) {
            Path real = Stream.of("/usr/bin", "/bin")
                    .map(folder -> Path.of(folder, tool))
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow();
            script(tools.resolve(tool), "exec " + real + " \"$@\"");
        }
    }

    @Test
    void javaHomeIsTakenWhenItIsNewEnough() throws Exception {
        Path home = jdk("mine", "21.0.4");
        Path onPath = jdk("other", "25");

        assertThat(run(home, onPath, FIND)).isEqualTo(new Outcome(0, List.of(home.toString())));
    }

    @Test
    void theCompilerOnThePathIsTakenWhenJavaHomeIsTooOld() throws Exception {
        Path home = jdk("mine", "17.0.9");
        Path onPath = jdk("other", "25-ea");

        assertThat(run(home, onPath, FIND)).isEqualTo(new Outcome(0, List.of(onPath.toString())));
    }

    @Test
    void theUsualPlacesAreSearchedWhenBothAreTooOldAndTheNewestLongTermReleaseWins() throws Exception {
        Path home = jdk("mine", "1.8.0_392");
        Path onPath = jdk("other", "17.0.9");
        jdk("usr/lib/jvm/java-21-openjdk", "21.0.4");
        Path newest = jdk("usr/lib/jvm/temurin-25-jdk", "25.0.1");
        jdk("usr/lib/jvm/java-11-openjdk", "11.0.2");

        assertThat(run(home, onPath, FIND)).isEqualTo(new Outcome(0, List.of(newest.toString())));
    }

    @Test
    void aRuntimeWithoutACompilerIsNotAJdk() throws Exception {
        Path runtime = Files.createDirectories(machine.resolve("usr/lib/jvm/java-25-jre"));
        Path full = jdk("opt/jdk-24", "24");

        assertThat(run(runtime, null, FIND)).isEqualTo(new Outcome(0, List.of(full.toString())));
    }

    @ParameterizedTest
    @ValueSource(strings = {"./sluice --version", "./mvnw --version", FIND})
    void oneLineSaysWhatWasFoundAndHowToInstallOneWhenAllAreTooOld(String command) throws Exception {
        Path home = jdk("mine", "1.8.0_392");
        Path onPath = jdk("other", "17.0.9");

        Outcome outcome = run(home, onPath, command);

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.lines())
                .singleElement()
                .satisfies(line -> assertThat(line)
                        .contains(
                                "needs a JDK 21 or newer",
                                "8 (" + home + ")",
                                "17 (" + onPath + ")",
                                "apt-get install"));
    }

    @Test
    void oneLineSaysThatNothingWasFound() throws Exception {
        assertThat(run(null, null, FIND).lines())
                .singleElement()
                .satisfies(line -> assertThat(line).contains("found: none", "JAVA_HOME"));
    }

    /** A folder whose compiler knows nothing but its version. */
    private Path jdk(String place, String version) throws IOException {
        Path home = machine.resolve(place);
        Files.createDirectories(home.resolve("bin"));
        script(home.resolve("bin/javac"), "echo javac " + version);
        return home.toRealPath();
    }

    private static void script(Path file, String command) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Files.writeString(file, "#!/bin/sh\n" + command + "\n");
    }

    private Outcome run(@Nullable Path javaHome, @Nullable Path jdkOnPath, String command) throws Exception {
        List<String> path = new ArrayList<>();
        if (jdkOnPath != null) {
            path.add(jdkOnPath.resolve("bin").toString());
        }
        path.add(tools.toString());
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", "-c", command)
                .directory(REPOSITORY.toFile())
                .redirectErrorStream(true);
        Map<String, String> environment = builder.environment();
        environment.clear();
        environment.put("PATH", String.join(":", path));
        environment.put("HOME", machine.resolve("home").toString());
        environment.put("SLUICE_JDK_ROOT", machine.toRealPath().toString());
        if (javaHome != null) {
            environment.put("JAVA_HOME", javaHome.toString());
        }
        Process process = builder.start();
        List<String> lines = process.inputReader().lines().toList();
        return new Outcome(process.waitFor(), lines);
    }
}
