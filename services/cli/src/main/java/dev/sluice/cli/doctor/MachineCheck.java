package dev.sluice.cli.doctor;

import static dev.sluice.cli.doctor.Need.EVERY_BACKEND;

import dev.sluice.cli.doctor.Finding.Failed;
import dev.sluice.cli.doctor.Finding.Ok;
import dev.sluice.cli.doctor.Finding.Warning;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** Java, processors and memory of the host. */
final class MachineCheck implements Check {
    private static final int JAVA = 21;
    private static final int CORES = 2;
    private static final double GIB = 1L << 30;
    /** Seven services, a worker and two engines of the demo. */
    private static final double DEMO_GIB = 3;

    private static final Path MEMORY = Path.of("/proc/meminfo");

    @Override
    public String doing() {
        return "looking at Java, processors and memory";
    }

    @Override
    public List<Finding> look(Node node) {
        double needed = node.job()
                .map(job -> job.plan().training().memory().hostGiBPerNode())
                .filter(gib -> gib > DEMO_GIB)
                .orElse(DEMO_GIB);
        return List.of(java(), cores(), memory(availableBytes() / GIB, needed));
    }

    private static Finding java() {
        int feature = Runtime.version().feature();
        String found = System.getProperty("java.vm.name") + " " + Runtime.version();
        return feature >= JAVA
                ? new Ok("Java", EVERY_BACKEND, found)
                : new Failed("Java", EVERY_BACKEND, found, "install a JDK " + JAVA + " or newer");
    }

    private static Finding cores() {
        int cores = Runtime.getRuntime().availableProcessors();
        return cores >= CORES
                ? new Ok("processors", EVERY_BACKEND, Integer.toString(cores))
                : new Warning(
                        "processors",
                        EVERY_BACKEND,
                        "1",
                        "give the machine or container two: services start slowly on one");
    }

    static Finding memory(double availableGiB, double neededGiB) {
        String found = "%.1f GiB available, %.1f GiB needed".formatted(availableGiB, neededGiB);
        return availableGiB >= neededGiB
                ? new Ok("host memory", EVERY_BACKEND, found)
                : new Failed(
                        "host memory",
                        EVERY_BACKEND,
                        found,
                        neededGiB > DEMO_GIB
                                ? "end other processes, or plan for less: the optimizer's state in host memory is most of it"
                                : "end other processes, or give the machine or container more");
    }

    /** Bytes that processes here can still take, by the smaller of the machine's word and the container's limit. */
    private static double availableBytes() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        double limit = system.getTotalMemorySize();
        return Math.min(limit, ofKernel().orElse(system.getFreeMemorySize()));
    }

    private static OptionalLong ofKernel() {
        try {
            return Files.readAllLines(MEMORY).stream()
                    .filter(line -> line.startsWith("MemAvailable:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .findFirst();
        } catch (IOException e) {
            return OptionalLong.empty(); // macOS has no such file
        }
    }
}
