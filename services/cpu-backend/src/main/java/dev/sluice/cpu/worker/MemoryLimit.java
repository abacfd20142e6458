package dev.sluice.cpu.worker;

import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.util.function.LongSupplier;
import org.bytedeco.javacpp.Pointer;

/** A bound on this process's resident memory, looked at where a pass holds the most: after its forward half. */
final class MemoryLimit {
    private static final long MIB = 1 << 20;

    private final long bytes;
    private final LongSupplier resident;

    /** @param mebibytes 0 for none */
    MemoryLimit(long mebibytes) {
        this(mebibytes, Pointer::physicalBytes);
    }

    MemoryLimit(long mebibytes, LongSupplier resident) {
        this.bytes = mebibytes * MIB;
        this.resident = resident;
    }

    /** Bytes of this process's resident memory. */
    long used() {
        return resident.getAsLong();
    }

    /**
     * @param samples of the pass
     * @throws WorkerException with OUT_OF_MEMORY above the bound
     */
    void check(int samples) {
        if (bytes > 0 && resident.getAsLong() > bytes) {
            throw new WorkerException(
                    WorkerErrorCode.OUT_OF_MEMORY,
                    "a pass over %d samples takes this process to %d MiB, above --memory-limit %d"
                            .formatted(samples, resident.getAsLong() / MIB, bytes / MIB),
                    "use smaller micro-batches or shorter samples");
        }
    }
}
