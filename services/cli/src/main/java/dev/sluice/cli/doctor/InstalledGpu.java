package dev.sluice.cli.doctor;

import dev.sluice.domain.candidate.Gpu;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A GPU as {@code nvidia-smi --query-gpu} tells of it; figures that it does not tell ({@code [N/A]}) are -1.
 *
 * @param totalMib memory, MiB; so is {@code freeMib}
 * @param uncorrectedErrors since the driver was loaded
 * @param computeCapability such as 9.0
 * @param pending what waits for a reset: a retired page or a remapped row
 * @param remappingFailed a memory row could not be remapped: the card is to be replaced
 */
record InstalledGpu(
        int index,
        String uuid,
        String name,
        String driver,
        long totalMib,
        long freeMib,
        long uncorrectedErrors,
        boolean mig,
        int pcieGeneration,
        int pcieLanes,
        String computeCapability,
        boolean pending,
        boolean remappingFailed) {
    static final String QUERY = "index,uuid,name,driver_version,memory.total,memory.free,"
            + "ecc.errors.uncorrected.volatile.total,mig.mode.current,pcie.link.gen.max,pcie.link.width.max,compute_cap,"
            + "ecc.errors.uncorrected.aggregate.total,retired_pages.pending,remapped_rows.pending,remapped_rows.failure";
    private static final int FIELDS = QUERY.split(",").length;
    // Cards of one label differ by the bits that ECC and firmware keep.
    private static final double MIB_OF_LABEL = 0.1;
    private static final long MIB_OF_GIB = 1024;

    /**
     * Reads the answer to {@link #QUERY} in the form {@code csv,noheader,nounits}.
     *
     * @throws IllegalArgumentException if a line has other fields, with the line
     */
    static List<InstalledGpu> read(String csv) {
        return csv.lines()
                .filter(line -> !line.isBlank())
                .map(InstalledGpu::line)
                .toList();
    }

    /**
     * Those that programs started here see, in their order.
     *
     * @param names as {@link dev.sluice.process.VisibleGpus#names()} has them; CUDA takes no more from the first that names no GPU
     */
    static List<InstalledGpu> visible(List<InstalledGpu> installed, List<String> names) {
        return names.stream()
                .map(name -> installed.stream().filter(gpu -> gpu.is(name)).findFirst())
                .takeWhile(Optional::isPresent)
                .flatMap(Optional::stream)
                .toList();
    }

    private boolean is(String name) {
        return name.equals(String.valueOf(index)) || name.startsWith("GPU-") && uuid.startsWith(name);
    }

    private static InstalledGpu line(String line) {
        String[] fields = line.strip().split("\\s*,\\s*", -1);
        if (fields.length != FIELDS || !fields[0].matches("\\d{1,3}")) {
            throw new IllegalArgumentException(
                    "nvidia-smi said \"%s\", where %d fields of a GPU were asked for".formatted(line.strip(), FIELDS));
        }
        return new InstalledGpu(
                Integer.parseInt(fields[0]),
                fields[1],
                fields[2],
                fields[3],
                number(fields[4]),
                number(fields[5]),
                number(fields[6]),
                fields[7].equals("Enabled"),
                (int) number(fields[8]),
                (int) number(fields[9]),
                fields[10],
                fields[12].equals("Yes") || fields[13].equals("Yes"),
                fields[14].equals("Yes"));
    }

    private static long number(String field) {
        return field.matches("\\d{1,15}") ? Long.parseLong(field) : -1;
    }

    double freeGiB() {
        return (double) freeMib / MIB_OF_GIB;
    }

    double totalGiB() {
        return (double) totalMib / MIB_OF_GIB;
    }

    /** The GPU that plans are made for, where this is one: the name has its letters and the memory is near its own. */
    Optional<Gpu> planned() {
        return Arrays.stream(Gpu.values())
                .filter(gpu ->
                        Arrays.asList(name.split("[ -]")).contains(gpu.label().replaceFirst("-.*", "")))
                .filter(gpu -> Math.abs(totalGiB() / gpu.usableGiB() - 1) < MIB_OF_LABEL)
                .min(Comparator.comparingDouble(gpu -> Math.abs(totalGiB() - gpu.usableGiB())));
    }

    /** A process that holds memory of a GPU. */
    record Holder(String gpuUuid, long pid, String program, long usedMib) {
        static final String QUERY = "gpu_uuid,pid,process_name,used_memory";

        /** Reads the answer to {@link #QUERY}; lines that name no process are left out. */
        static List<Holder> read(String csv) {
            return csv.lines()
                    .map(line -> line.strip().split("\\s*,\\s*", 4))
                    .map(Holder::of)
                    .flatMap(Optional::stream)
                    .toList();
        }

        private static Optional<Holder> of(String[] fields) {
            return fields.length == 4 && fields[1].matches("\\d{1,18}")
                    ? Optional.of(new Holder(fields[0], Long.parseLong(fields[1]), fields[2], number(fields[3])))
                    : Optional.empty();
        }
    }

    /**
     * How GPUs are linked, by {@code nvidia-smi topo -m}.
     *
     * @param text the slowest kind of link between two of them, as the command names it
     * @param nvlink every two of them are joined by NVLink
     */
    record Links(String text, boolean nvlink) {
        private static final List<String> SLOWEST_FIRST = List.of("SYS", "NODE", "PHB", "PXB", "PIX");

        /** Null where the matrix has no two GPUs. */
        static @Nullable Links read(String matrix) {
            List<List<String>> rows = matrix.replaceAll("\u001b\\[[0-9;]*m", "")
                    .lines()
                    .filter(line -> line.matches("GPU\\d+\\s.*") && line.contains(" X "))
                    .map(line -> List.of(line.strip().split("\\s+")))
                    .toList();
            // Columns of GPUs come first, those of network cards after them.
            List<String> links = rows.stream()
                    .flatMap(row -> row.stream().skip(1).limit(rows.size()))
                    .filter(cell -> SLOWEST_FIRST.contains(cell) || cell.matches("NV\\d+"))
                    .toList();
            if (links.isEmpty()) {
                return null;
            }
            return SLOWEST_FIRST.stream()
                    .filter(links::contains)
                    .findFirst()
                    .map(kind -> new Links(kind, false))
                    .orElseGet(() -> new Links(
                            links.stream()
                                    .min(Comparator.comparingInt(Links::lanes))
                                    .orElseThrow(),
                            true));
        }

        private static int lanes(String nvlinks) {
            return Integer.parseInt(nvlinks.substring("NV".length()));
        }
    }
}
