package dev.sluice.domain.candidate;

import dev.sluice.domain.spelling.Spelling;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * GPUs that plans are made for. Memory is what a process finds free of the card's total; speeds are the data sheets'.
 */
public enum Gpu {
    A100_80("A100-80", 79.1, 312, 2.04, 300, 80),
    H100_80("H100-80", 79.1, 989, 3.35, 450, 90),
    H800_80("H800-80", 79.1, 989, 3.35, 200, 90),
    H20_96("H20-96", 94.9, 148, 4.0, 450, 90),
    H200_141("H200-141", 139.8, 989, 4.8, 450, 90),
    B200_180("B200-180", 178, 2250, 8.0, 900, 100);

    private final String label;
    private final double usableGiB;
    private final double bf16Teraflops;
    private final double memoryTerabytesPerSecond;
    private final double linkGigabytesPerSecond;
    private final int computeCapability;

    Gpu(
            String label,
            double usableGiB,
            double bf16Teraflops,
            double memoryTerabytesPerSecond,
            double linkGigabytesPerSecond,
            int computeCapability) {
        this.label = label;
        this.usableGiB = usableGiB;
        this.bf16Teraflops = bf16Teraflops;
        this.memoryTerabytesPerSecond = memoryTerabytesPerSecond;
        this.linkGigabytesPerSecond = linkGigabytesPerSecond;
        this.computeCapability = computeCapability;
    }

    /** As requests write it, such as {@code H100-80}. */
    public String label() {
        return label;
    }

    /** Memory that processes can use, GiB. */
    public double usableGiB() {
        return usableGiB;
    }

    /** Dense bf16 matrix products, 1e12 floating-point operations a second. */
    public double bf16Teraflops() {
        return bf16Teraflops;
    }

    /** Device memory, 1e12 bytes a second. */
    public double memoryTerabytesPerSecond() {
        return memoryTerabytesPerSecond;
    }

    /** NVLink in one direction, 1e9 bytes a second. */
    public double linkGigabytesPerSecond() {
        return linkGigabytesPerSecond;
    }

    /** CUDA compute capability times ten: 90 is Hopper, 100 Blackwell. */
    public int computeCapability() {
        return computeCapability;
    }

    /** The GPU of this label; case does not count. */
    public static Optional<Gpu> named(String label) {
        return Arrays.stream(values())
                .filter(gpu -> gpu.label.equals(label.toUpperCase(Locale.ROOT)))
                .findFirst();
    }

    public static List<String> labels() {
        return Arrays.stream(values()).map(Gpu::label).toList();
    }

    /** {@code "; did you mean H100-80?"}, or nothing where no label is near. */
    public static String didYouMean(String label) {
        return Spelling.didYouMean(label, labels());
    }
}
