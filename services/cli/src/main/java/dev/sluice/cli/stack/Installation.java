package dev.sluice.cli.stack;

import dev.sluice.cli.CommandFailure;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where the built programs lie.
 *
 * @param root the repository, as its {@code ./sluice} says
 */
public record Installation(Path root) {
    private static final String VERSION = "0.1.0-SNAPSHOT";

    public Installation {
        root = root.toAbsolutePath().normalize();
    }

    /** The installation this command belongs to. */
    public static Installation ofThisProcess() {
        String root = System.getProperty("sluice.root");
        if (root == null) {
            throw CommandFailure.usage("the system property sluice.root is not set; start the command by ./sluice");
        }
        return new Installation(Path.of(root));
    }

    /** The runnable jar of a Quarkus service. */
    Path quarkusJar(String service) {
        return root.resolve("services").resolve(service).resolve("target/quarkus-app/quarkus-run.jar");
    }

    /** The trainer's classes, for a program of its beside the service. */
    String trainerClassPath() {
        Path service = quarkusJar("trainer").getParent();
        // Quarkus has made the classes that read the configuration when it built the service.
        return "%1$s/app/*:%1$s/lib/main/*:%1$s/lib/boot/*:%1$s/quarkus/generated-bytecode.jar".formatted(service);
    }

    String brokerClassPath() {
        return classPath("common", "broker");
    }

    String cpuBackendClassPath() {
        return classPath("services", "cpu-backend");
    }

    /** Where the examples lie that come with Sluice. */
    public Path deploy() {
        return root.resolve("deploy");
    }

    boolean isBuilt(String service) {
        return Files.isRegularFile(quarkusJar(service));
    }

    private String classPath(String folder, String module) {
        Path target = root.resolve(folder).resolve(module).resolve("target");
        // The module's own jar first: lib may still hold jars of an earlier build.
        return target.resolve("sluice-" + module + "-" + VERSION + ".jar") + ":" + target.resolve("lib") + "/*";
    }
}
