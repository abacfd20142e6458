package dev.sluice.cli.doctor;

import static dev.sluice.cli.doctor.Need.EVERY_BACKEND;
import static dev.sluice.cli.doctor.Need.GPU_BACKEND;

import dev.sluice.cli.doctor.Finding.Failed;
import dev.sluice.cli.doctor.Finding.NotChecked;
import dev.sluice.cli.doctor.Finding.Ok;
import dev.sluice.cli.doctor.Finding.Warning;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What the kernel allows processes: open files, locked memory, shared memory. */
final class LimitsCheck implements Check {
    private static final Path LIMITS = Path.of("/proc/self/limits");
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");
    private static final String UNLIMITED = "unlimited";
    private static final long OPEN_FILES = 4096;
    /** A node of 8 engines and 8 ranks, each with some thousands of sockets and mapped files. */
    private static final long OPEN_FILES_ON_GPUS = 16_384;

    private static final double GIB = 1L << 30;
    /** NCCL's troubleshooting guide: {@code --shm-size=1g}. */
    private static final double LEAST_SHARED_GIB = 1;
    /** slime's containers: {@code --shm-size=16g}. */
    private static final double USUAL_SHARED_GIB = 16;

    @Override
    public String doing() {
        return "reading the kernel's limits";
    }

    @Override
    public List<Finding> look(Node node) {
        return List.of(openFiles(node), lockedMemory(node), sharedMemory());
    }

    private static Finding openFiles(Node node) {
        Optional<String> limit = limit("Max open files");
        if (limit.isEmpty()) {
            return new NotChecked("open files", EVERY_BACKEND, LIMITS + " is not here; ulimit -n tells");
        }
        long needed = node.gpuBackend() ? OPEN_FILES_ON_GPUS : OPEN_FILES;
        boolean enough = limit.get().equals(UNLIMITED) || Long.parseLong(limit.get()) >= needed;
        String found = "%s for a process, %d needed".formatted(limit.get(), needed);
        return enough
                ? new Ok("open files", EVERY_BACKEND, found)
                : new Warning(
                        "open files",
                        EVERY_BACKEND,
                        found,
                        "ulimit -n 65536, in a container --ulimit nofile=65536, or nofile in /etc/security/limits.conf");
    }

    private static Finding lockedMemory(Node node) {
        Optional<String> limit = limit("Max locked memory");
        boolean overNodes = node.order().place().nodes() > 1;
        if (limit.isEmpty()) {
            return new NotChecked("locked memory", GPU_BACKEND, LIMITS + " is not here; ulimit -l tells");
        }
        return limit.get().equals(UNLIMITED)
                ? new Ok("locked memory", GPU_BACKEND, UNLIMITED)
                : overNodes
                        ? new Warning(
                                "locked memory",
                                GPU_BACKEND,
                                limit.get() + " bytes for a process, and RDMA registers what it sends",
                                "ulimit -l unlimited, in a container --ulimit memlock=-1")
                        : new Ok("locked memory", GPU_BACKEND, limit.get() + " bytes; RDMA between nodes needs more");
    }

    private static Optional<String> limit(String name) {
        try {
            return Files.readAllLines(LIMITS).stream()
                    .filter(line -> line.startsWith(name))
                    .map(line -> line.substring(name.length()).strip().split("\\s+")[0])
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static Finding sharedMemory() {
        try {
            return sharedMemory(Files.getFileStore(SHARED_MEMORY).getUsableSpace() / GIB);
        } catch (IOException e) {
            return new NotChecked("shared memory", GPU_BACKEND, SHARED_MEMORY + " is not here");
        }
    }

    static Finding sharedMemory(double freeGiB) {
        String found = "%.2f GiB free in %s".formatted(freeGiB, SHARED_MEMORY);
        String mend = "in a container --shm-size=16g or --ipc=host; in Kubernetes an emptyDir of medium Memory there";
        if (freeGiB < LEAST_SHARED_GIB) {
            return new Failed("shared memory", GPU_BACKEND, found + ": NCCL's ranks of one node talk through it", mend);
        }
        return freeGiB < USUAL_SHARED_GIB
                ? new Warning("shared memory", GPU_BACKEND, found, mend)
                : new Ok("shared memory", GPU_BACKEND, found);
    }
}
